"""Change the addresses of an account: each verb is one transaction with its event.

The mail to the address from before is the caller's, after the commit.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db import transaction

from console.accounts.models import User
from console.audit.actions import AuditAction
from console.audit.log import homes, record


@transaction.atomic
def claim(user: User, email: str) -> None:
    """Record that somebody wants an address; nothing changes until it is confirmed."""
    _record(AuditAction.USER_ADDRESS_CLAIMED, user, user, address=email)


def confirmed(address: EmailAddress, by: User | None) -> None:
    """Record that an address is proven, and end what others claim; in its transaction."""
    others = EmailAddress.objects.filter(email=address.email, verified=False)
    others.exclude(pk=address.pk).delete()
    _record(AuditAction.USER_ADDRESS_CONFIRMED, address.user, by, address=address.email)


@transaction.atomic
def make_primary(address: EmailAddress, by: User) -> None:
    """Let an account go by another of its confirmed addresses."""
    row = _hold(address)
    was = row.user.email
    row.set_as_primary()
    _record(AuditAction.USER_ADDRESS_CHANGED, row.user, by, was=was)


@transaction.atomic
def remove(address: EmailAddress, by: User) -> None:
    """Take an address that is not the primary one away from its account."""
    row = _hold(address)
    row.delete()
    _record(AuditAction.USER_ADDRESS_REMOVED, row.user, by, address=address.email)


@transaction.atomic
def vouch(address: EmailAddress, by: User | None) -> None:
    """Confirm the own address of an account on the word of who runs the console."""
    row = _hold(address)
    row.verified = True
    row.save(update_fields=["verified"])
    if row.email == row.user.email:
        row.set_as_primary()
    confirmed(row, by)


def replace_all(user: User) -> None:
    """Make ``User.email``, as an operator has typed it, the one address of the account.

    It belongs into the transaction that saves the account. What was an address of it before
    opens nothing any longer: neither by password nor by a link that was mailed there.
    """
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    EmailAddress.objects.filter(email=user.email, verified=False).exclude(user=user).delete()
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )


def _hold(address: EmailAddress) -> EmailAddress:
    """Let nobody else change the account's addresses until the transaction ends."""
    User.objects.select_for_update(no_key=True).get(pk=address.user_id)
    rows = EmailAddress.objects.select_for_update(of=("self",)).select_related("user")
    return rows.get(pk=address.pk)


def _record(act: AuditAction, user: User, by: User | None, **details: str) -> None:
    for home in homes(user):
        record(act, home, by, user, **details)
