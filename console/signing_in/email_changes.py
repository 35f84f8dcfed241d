"""Change the e-mail addresses of an account, and record each change.

Callers mail the previous address after the commit.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db import transaction

from console.accounts.models import User
from console.audit.actions import AuditAction
from console.audit.log import homes, record


@transaction.atomic
def claim(user: User, email: str) -> None:
    """Record that a person wants to add an address; it is added once it is confirmed."""
    _record(AuditAction.USER_ADDRESS_CLAIMED, user, user, address=email)


def confirmed(address: EmailAddress, by: User | None) -> None:
    """Record a confirmation, and delete the address from accounts that have not confirmed it.

    Call this in the transaction of the confirmation.
    """
    others = EmailAddress.objects.filter(email=address.email, verified=False)
    others.exclude(pk=address.pk).delete()
    _record(AuditAction.USER_ADDRESS_CONFIRMED, address.user, by, address=address.email)


@transaction.atomic
def make_primary(address: EmailAddress, by: User) -> None:
    """Make a confirmed address the primary address of its account."""
    row = _lock(address)
    was = row.user.email
    row.set_as_primary()
    _record(AuditAction.USER_ADDRESS_CHANGED, row.user, by, was=was)


@transaction.atomic
def remove(address: EmailAddress, by: User) -> None:
    """Remove a secondary address from its account."""
    row = _lock(address)
    row.delete()
    _record(AuditAction.USER_ADDRESS_REMOVED, row.user, by, address=address.email)


@transaction.atomic
def vouch(address: EmailAddress, by: User | None) -> None:
    """Confirm an address on the word of an operator."""
    row = _lock(address)
    row.verified = True
    row.save(update_fields=["verified"])
    if row.email == row.user.email:
        row.set_as_primary()
    confirmed(row, by)


def replace_all(user: User) -> None:
    """Make ``User.email``, which an operator has entered, the only address of the account.

    Call this in the transaction that saves the account. The previous addresses no longer work:
    neither for sign-in nor with a link that was mailed to them.
    """
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    EmailAddress.objects.filter(email=user.email, verified=False).exclude(user=user).delete()
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )


def _lock(address: EmailAddress) -> EmailAddress:
    """Lock the account's addresses until the transaction ends."""
    User.objects.select_for_update(no_key=True).get(pk=address.user_id)
    rows = EmailAddress.objects.select_for_update(of=("self",)).select_related("user")
    return rows.get(pk=address.pk)


def _record(action: AuditAction, user: User, by: User | None, **details: str) -> None:
    for home in homes(user):
        record(action, home, by, user, **details)
