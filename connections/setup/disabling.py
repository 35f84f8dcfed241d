"""Disable and enable connections.

A disabled connection makes no calls, in any environment and at any client. Its authorizations are
kept and refreshed, so it works as before once it is enabled. Both functions raise
:class:`~console.accounts.authority.NotAllowed` if the person may not do it.
"""

from __future__ import annotations

from django import forms
from django.db import transaction
from django.utils import timezone

from connections.models import Connection, Credential
from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.audit.actions import AuditAction
from console.audit.log import record


class DisableForm(forms.Form):
    """Why a connection is disabled."""

    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=300,
        help_text="Programs and people get this sentence instead of an answer.",
    )


def disable_connection(connection: Connection, by: User, reason: str = "") -> bool:
    """Disable a connection; return whether it was enabled before.

    Every process notices it within a second, because the row's ``updated_at`` changes.
    """
    with transaction.atomic():
        row = _lock(connection, by)
        if row is None or row.is_disabled:
            return False
        row.disabled_at, row.disabled_by = timezone.now(), by
        row.disabled_reason = " ".join(reason.replace("\0", "").split())[:300]
        row.save(update_fields=["disabled_at", "disabled_by", "disabled_reason", "updated_at"])
        record(
            AuditAction.CONNECTION_DISABLED,
            row.application.organization_id,
            by,
            row,
            application=row.application.name,
            reason=row.disabled_reason,
        )
    return True


def enable_connection(connection: Connection, by: User) -> bool:
    """Enable a connection; return whether it was disabled before.

    Its authorizations were not tested in the meantime, so their next test is due now.
    """
    with transaction.atomic():
        row = _lock(connection, by)
        if row is None or not row.is_disabled:
            return False
        since = row.disabled_at
        row.disabled_at, row.disabled_by, row.disabled_reason = None, None, ""
        row.save(update_fields=["disabled_at", "disabled_by", "disabled_reason", "updated_at"])
        Credential.objects.filter(authorizations__connection=row).update(check_at=timezone.now())
        record(
            AuditAction.CONNECTION_ENABLED,
            row.application.organization_id,
            by,
            row,
            application=row.application.name,
            disabled_since=since.isoformat(timespec="seconds") if since else None,
        )
    return True


def _lock(connection: Connection, by: User) -> Connection | None:
    """Lock the person's authority and the connection; ``None`` if it is no longer there."""
    authority.check_and_lock(by, connection.application.organization, Action.MANAGE_CONNECTIONS)
    rows = Connection.objects.created().select_for_update(of=("self",))
    return rows.select_related("application").filter(pk=connection.pk).first()
