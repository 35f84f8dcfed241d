"""Change, deactivate, reactivate and remove the people of an organization.

What a person has authorized is suspended, restored or revoked with them. Each function runs in
a transaction of its own, in which it checks the permission of ``by`` (``NotAllowed``; operators
may do everything), keeps a super admin (``LastSuperAdmin``), and raises :class:`NotAMember` if
the person has left. Order of locks: organization, users, memberships, authorizations.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format

from connections.authorizations import suspending
from connections.authorizations.suspending import RESTORABLE_FOR, OrganizationEntry
from console.accounts import authority
from console.accounts.last_super_admin import preserve_super_admins
from console.accounts.models import Membership, User
from console.accounts.policy import Action
from console.applications.models import Right
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject, record_all


class NotAMember(Exception):
    """The person has left the organization in the meantime; the message is for people."""


def change_role(membership: Membership, role: str, by: User) -> None:
    """Give a person another role, effective from their next request."""
    with _checked_and_locked(membership, by) as row:
        if row.role == role:
            return
        was, row.role = row.role, role
        row.save(update_fields=["role"])
        _record(by, row, AuditAction.MEMBERSHIP_CHANGED, was=was)


def deactivate(membership: Membership, by: User) -> None:
    """Take a person's access away until they are reactivated, and suspend their authorizations."""
    with _checked_and_locked(membership, by) as row:
        if row.deactivated_at:
            return
        row.deactivated_at = timezone.now()
        row.save(update_fields=["deactivated_at"])
        entries = suspending.suspend(row.user, row.organization, _suspended(row))
        _record(by, row, AuditAction.MEMBERSHIP_DEACTIVATED, entries)


def reactivate(membership: Membership, by: User) -> None:
    """Give a person access again, and restore their authorizations unless 30 days have passed."""
    with _checked_and_locked(membership, by) as row:
        if row.deactivated_at is None:
            return
        if is_lost(row):
            given = suspending.authorizations_given_by(row.user, row.organization)
            entries, keys = suspending.revoke_all(given, _lost(row))
            _revoke_at_services(keys)
        else:
            entries = suspending.restore(row.user, row.organization)
        row.deactivated_at = None
        row.save(update_fields=["deactivated_at"])
        _record(by, row, AuditAction.MEMBERSHIP_REACTIVATED, entries)


def remove(membership: Membership, by: User) -> None:
    """Remove a person from the organization and revoke what they have authorized."""
    with _checked_and_locked(membership, by) as row:
        entries = revoke_authorizations_in(row, by)
        subject, role = _subject(row), row.role
        row.delete()
        entry = AuditEntry(
            action=AuditAction.MEMBERSHIP_DELETED, subject=subject, details={"role": role}
        )
        record_all(row.organization_id, by, [entry, *(related for _, related in entries)])


def revoke_authorizations_in(membership: Membership, by: User) -> list[OrganizationEntry]:
    """Revoke what a person has authorized in the organization that they leave.

    Call this, and record the returned events, in the transaction that removes the membership.
    """
    organization = membership.organization
    given = suspending.authorizations_given_by(membership.user, organization)
    entries, keys = suspending.revoke_all(
        given, f"Revoked when {by} removed {membership.user} from {organization}."
    )
    Right.objects.filter(user=membership.user, application__organization=organization).delete()
    _revoke_at_services(keys)
    return entries


def revoke_all_authorizations(user: User, by: User) -> list[OrganizationEntry]:
    """Revoke everything that a person has authorized, before their account is deleted."""
    entries, keys = suspending.revoke_all(
        suspending.authorizations_given_by(user),
        f"Revoked when {by} deleted the account of {user}.",
    )
    _revoke_at_services(keys)
    return entries


def organizations_of(people: Iterable[User]) -> set[uuid.UUID]:
    """Return the keys of the organizations in which any of these people is active."""
    rows = Membership.objects.active().filter(user__in=list(people))
    return set(rows.values_list("organization_id", flat=True))


def restorable_until(membership: Membership) -> datetime | None:
    """Return until when reactivating a person also restores their authorizations."""
    return membership.deactivated_at and membership.deactivated_at + RESTORABLE_FOR


def is_lost(membership: Membership) -> bool:
    """Tell whether it is too late to restore the authorizations of a deactivated person."""
    until = restorable_until(membership)
    return until is not None and until <= timezone.now()


def revoke_expired_suspensions() -> int:
    """Revoke the authorizations of people deactivated 30 days ago; return how many people."""
    before = timezone.now() - RESTORABLE_FOR
    rows = Membership.objects.filter(deactivated_at__lte=before).select_related("organization")
    revoked = 0
    for membership in rows.select_related("user"):
        with transaction.atomic():
            row = _locked(membership)
            if row is None or not is_lost(row):
                continue
            given = suspending.authorizations_given_by(row.user, row.organization)
            entries, keys = suspending.revoke_all(given, _lost(row))
            revoked += bool(entries)
            record_all(row.organization_id, None, [each for _, each in entries])
            _revoke_at_services(keys)
    return revoked


@contextmanager
def _checked_and_locked(membership: Membership, by: User) -> Iterator[Membership]:
    """Check the permission, and lock the organization and the membership."""
    with preserve_super_admins([membership.organization_id]):
        if not by.is_superuser:
            authority.check_and_lock(by, membership.organization, Action.MANAGE_PEOPLE)
        row = _locked(membership)
        if row is None:
            raise NotAMember(
                f"{membership.user} is no longer a member of {membership.organization}."
            )
        yield row
    by.memberships_read = None  # it may be their own that has changed


def _locked(membership: Membership) -> Membership | None:
    rows = Membership.objects.select_for_update(no_key=True, of=("user", "self"))
    return rows.select_related("user", "organization").filter(pk=membership.pk).first()


def _revoke_at_services(keys: list[uuid.UUID]) -> None:
    """Ask the services to revoke these credentials, after the commit."""
    if keys:
        transaction.on_commit(lambda: suspending.revoke_unused_credentials(keys), robust=True)


def _subject(membership: Membership) -> Subject:
    # The person's key, as in their other events: a deleted membership has no key.
    return Subject(type="membership", id=str(membership.user_id), label=membership.user.email)


def _record(
    by: User,
    membership: Membership,
    action: AuditAction,
    entries: Iterable[OrganizationEntry] = (),
    **details: str,
) -> None:
    entry = AuditEntry(
        action=action, subject=_subject(membership), details={"role": membership.role, **details}
    )
    record_all(membership.organization_id, by, [entry, *(related for _, related in entries)])


def _suspended(membership: Membership) -> str:
    return (
        f"{membership.user} was deactivated on {_day(membership.deactivated_at)}. It works again "
        f"if a super admin reactivates them by {_day(restorable_until(membership))}."
    )


def _lost(membership: Membership) -> str:
    return (
        f"{membership.user} was deactivated on {_day(membership.deactivated_at)} and was not "
        f"reactivated within {RESTORABLE_FOR.days} days."
    )


def _day(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "j F Y")
