"""Delete an application that was never published or shared."""

from __future__ import annotations

from django.db import transaction
from django.db.models import ProtectedError

from connections.authorizations.credential_erasure import revoke_and_erase_each
from connections.models import Credential
from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.applications.locks import lock_application
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import Subject, record
from console.distribution.models import Listing, Share
from console.publishing.models import Installation, Release


class ApplicationKept(Exception):
    """The application cannot be deleted; the message is for people."""


def why_kept(application: Application) -> str:
    """Return why an application cannot be deleted; empty if it can."""
    for model, reason in (
        (Installation, "organizations have installed it"),
        (Share, "it is shared with clients"),
        (Listing, "it is listed in the marketplace"),
        (Release, "it was published, and releases are kept"),
    ):
        if model._default_manager.filter(application=application).exists():
            return f"{application} cannot be deleted: {reason}."
    return ""


def delete_application(application: Application, by: User) -> list[str]:
    """Delete an application with its components, connections and keys.

    The accounts that only its connections used are revoked after the commit; return a sentence for
    each. Raise :class:`ApplicationKept`, or ``NotAllowed`` if the person may not delete it.
    """
    with transaction.atomic():
        row = lock_application(application)
        authority.check_and_lock(by, row.organization, Action.CREATE_APPLICATIONS)
        if problem := why_kept(row):
            raise ApplicationKept(problem)
        used = Credential.objects.filter(authorizations__connection__application=row)
        keys = list(used.values_list("pk", flat=True).distinct())
        subject = Subject.of(row)
        try:
            row.delete()
        except ProtectedError:
            raise ApplicationKept(
                f"{application} cannot be deleted: somebody has just published it."
            ) from None
        record(AuditAction.APPLICATION_DELETED, row.organization_id, by, subject)
    return revoke_and_erase_each(keys, by)
