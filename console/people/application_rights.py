"""The rights of a developer in each application: to publish and to distribute it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.db import transaction

from console.accounts import authority
from console.accounts.models import Membership, User
from console.accounts.policy import NEEDS_RIGHT, Action
from console.applications.locks import lock_application
from console.applications.models import Application, Right
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject, record_all


def needs_rights(role: str) -> bool:
    """Tell whether people with this role need a right for some actions."""
    return any(role in roles for roles in NEEDS_RIGHT.values())


def set_rights(
    membership: Membership, application: Application, fields: Collection[str], by: User
) -> bool:
    """Give a person exactly these rights in an application; return whether they changed.

    ``fields`` are the names of boolean fields of ``Right``. Raise ``NotAllowed`` if ``by`` may not
    do it.
    """
    with transaction.atomic():
        application = lock_application(application)
        if not by.is_superuser:
            authority.check_and_lock(by, application.organization, Action.CREATE_APPLICATIONS)
        user = membership.user
        rows = Right.objects.select_for_update().filter(user=user, application=application)
        row = rows.first() or Right(user=user, application=application)
        had = {field for field in Right.FIELDS.values() if getattr(row, field)}
        has = set(fields) & set(Right.FIELDS.values())
        if had == has:
            return False
        for field in Right.FIELDS.values():
            setattr(row, field, field in has)
        if has:
            row.save()
        else:
            row.delete()
        record_all(application.organization_id, by, right_entries(user, application, had, has))
    return True


def right_entries(
    user: User, application: Application, had: Collection[str], has: Collection[str]
) -> Iterator[AuditEntry]:
    """Return the audit entries for the rights that were given and taken."""
    for action, fields in (
        (AuditAction.RIGHT_GIVEN, set(has) - set(had)),
        (AuditAction.RIGHT_TAKEN, set(had) - set(has)),
    ):
        if fields:
            rights = [f.removeprefix("may_") for f in Right.FIELDS.values() if f in fields]
            # The person's key, as in events of memberships: a deleted right has no key.
            subject = Subject(type="right", id=str(user.pk), label=user.email)
            details = {"application": application.name, "rights": rights}
            yield AuditEntry(action=action, subject=subject, details=details)
