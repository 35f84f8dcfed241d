"""Rename the account of an authorization in this console."""

from __future__ import annotations

from django.db import transaction

from connections.authorizations.forms import LabelForm
from connections.models import Authorization, Credential
from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.audit.actions import AuditAction
from console.audit.log import record


def label(authorization: Authorization, form: LabelForm, by: User, action: Action) -> None:
    """Rename an account for every authorization that uses it."""
    with transaction.atomic():
        authority.check_and_lock(by, authorization.organization, action)
        rows = Credential.objects.select_for_update().defer("secret", "journal")
        before = rows.filter(pk=form.instance.pk).first()
        if before:
            form.raise_on_conflict(before)
        credential = form.save()
        if before and before.label != credential.label:
            record(
                AuditAction.AUTHORIZATION_LABELED,
                authorization.organization_id,
                by,
                authorization.connection,
                account=credential.label,
                was=before.label,
            )
