"""What super admins do with the people of an organization; what these authorized follows.

Each verb asks in its own transaction whether ``by`` may (``NotAllowed``), keeps a super admin
(``LastSuperAdmin``), and raises :class:`Gone` for somebody who is not there any more. The
operator may all of it. Order of locks: organization, people, memberships, authorizations.
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
from console.accounts.last_super_admin import keeping_super_admins
from console.accounts.models import Membership, User
from console.accounts.policy import Action
from console.applications.models import Right
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject, record_all


class Gone(Exception):
    """The person has left the organization meanwhile; the message is for people."""


def change_role(membership: Membership, role: str, by: User) -> None:
    """Give a person another role; it counts from his next request on."""
    with _held(membership, by) as row:
        if row.role == role:
            return
        was, row.role = row.role, role
        row.save(update_fields=["role"])
        _record(by, row, AuditAction.MEMBERSHIP_CHANGED, was=was)


def deactivate(membership: Membership, by: User) -> None:
    """Let a person in no more, for the time being, and suspend what he has authorized."""
    with _held(membership, by) as row:
        if row.deactivated_at:
            return
        row.deactivated_at = timezone.now()
        row.save(update_fields=["deactivated_at"])
        told = suspending.suspend(row.user, row.organization, _suspended(row))
        _record(by, row, AuditAction.MEMBERSHIP_DEACTIVATED, told)


def reactivate(membership: Membership, by: User) -> None:
    """Let a person in again; after 30 days what he had authorized is lost."""
    with _held(membership, by) as row:
        if row.deactivated_at is None:
            return
        if is_lost(row):
            given = suspending.authorizations_given_by(row.user, row.organization)
            told, keys = suspending.revoke_all(given, _lost(row))
            _give_back(keys)
        else:
            told = suspending.restore(row.user, row.organization)
        row.deactivated_at = None
        row.save(update_fields=["deactivated_at"])
        _record(by, row, AuditAction.MEMBERSHIP_REACTIVATED, told)


def remove(membership: Membership, by: User) -> None:
    """Take a person out of the organization, and revoke for good what he has authorized."""
    with _held(membership, by) as row:
        told = end_given_in(row, by)
        subject, role = _subject(row), row.role
        row.delete()
        happening = AuditEntry(
            action=AuditAction.MEMBERSHIP_DELETED, subject=subject, details={"role": role}
        )
        record_all(row.organization_id, by, [happening, *(each for _, each in told)])


def end_given_in(membership: Membership, by: User) -> list[OrganizationEntry]:
    """Revoke what somebody has authorized in an organization that he is leaving.

    It belongs into the transaction that takes him out, and so do the events returned.
    """
    organization = membership.organization
    given = suspending.authorizations_given_by(membership.user, organization)
    told, keys = suspending.revoke_all(
        given, f"Revoked when {by} took {membership.user} out of {organization}."
    )
    Right.objects.filter(user=membership.user, application__organization=organization).delete()
    _give_back(keys)
    return told


def end_given_by(user: User, by: User) -> list[OrganizationEntry]:
    """Revoke all that somebody has authorized anywhere, before his account is deleted."""
    told, keys = suspending.revoke_all(
        suspending.authorizations_given_by(user),
        f"Revoked when {by} deleted the account of {user}.",
    )
    _give_back(keys)
    return told


def organizations_of(people: Iterable[User]) -> set[uuid.UUID]:
    """Name the organizations in which anybody of these counts."""
    rows = Membership.objects.active().filter(user__in=list(people))
    return set(rows.values_list("organization_id", flat=True))


def restorable_until(membership: Membership) -> datetime | None:
    """Return until when reactivating somebody gives back what he had authorized."""
    return membership.deactivated_at and membership.deactivated_at + RESTORABLE_FOR


def is_lost(membership: Membership) -> bool:
    """Tell whether what a deactivated person had authorized can come back no more."""
    until = restorable_until(membership)
    return until is not None and until <= timezone.now()


def give_up_suspended() -> int:
    """Revoke what people had authorized who were deactivated 30 days ago; count the people."""
    before = timezone.now() - RESTORABLE_FOR
    rows = Membership.objects.filter(deactivated_at__lte=before).select_related("organization")
    given_up = 0
    for membership in rows.select_related("user"):
        with transaction.atomic():
            row = _locked(membership)
            if row is None or not is_lost(row):
                continue
            given = suspending.authorizations_given_by(row.user, row.organization)
            told, keys = suspending.revoke_all(given, _lost(row))
            given_up += bool(told)
            record_all(row.organization_id, None, [each for _, each in told])
            _give_back(keys)
    return given_up


@contextmanager
def _held(membership: Membership, by: User) -> Iterator[Membership]:
    """Lock the organization and the person in it, if this may be done to him."""
    with keeping_super_admins([membership.organization_id]):
        if not by.is_superuser:
            authority.hold(by, membership.organization, Action.MANAGE_PEOPLE)
        row = _locked(membership)
        if row is None:
            raise Gone(f"{membership.user} does not belong to {membership.organization} any more.")
        yield row


def _locked(membership: Membership) -> Membership | None:
    rows = Membership.objects.select_for_update(no_key=True, of=("user", "self"))
    return rows.select_related("user", "organization").filter(pk=membership.pk).first()


def _give_back(keys: list[uuid.UUID]) -> None:
    """Ask the services once all of this is kept."""
    if keys:
        transaction.on_commit(lambda: suspending.revoke_unused_credentials(keys), robust=True)


def _subject(membership: Membership) -> Subject:
    # Known by the person, whose other events have the same key.
    return Subject(type="membership", id=str(membership.user_id), label=membership.user.email)


def _record(
    by: User,
    membership: Membership,
    act: AuditAction,
    told: Iterable[OrganizationEntry] = (),
    **details: str,
) -> None:
    happening = AuditEntry(
        action=act, subject=_subject(membership), details={"role": membership.role, **details}
    )
    record_all(membership.organization_id, by, [happening, *(each for _, each in told)])


def _suspended(membership: Membership) -> str:
    return (
        f"{membership.user} was deactivated on {_day(membership.deactivated_at)}. It works again "
        f"if a super admin reactivates him until {_day(restorable_until(membership))}."
    )


def _lost(membership: Membership) -> str:
    return (
        f"{membership.user} was deactivated on {_day(membership.deactivated_at)} and not "
        f"reactivated within {RESTORABLE_FOR.days} days."
    )


def _day(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "j F Y")
