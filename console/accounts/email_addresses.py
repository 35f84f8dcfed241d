"""Whose an e-mail address is: only one that is confirmed belongs to anybody.

An address is confirmed by an operator who makes the account, by a link or code that was mailed
to it, and by nothing else. ``User.email`` is the primary one. Accounts from before this rule
whose own address nobody has confirmed are ``unconfirmed()``: they are nobody's until a code that
was mailed there is typed in, or an operator vouches for them.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db.models import F, QuerySet

from console.accounts.models import User


def account_of(email: str) -> User | None:
    """Return the account that an address signs in to and resets the password of.

    That is who has confirmed it, or else the account that has no other address. A claim of an
    account that has not confirmed it counts for nothing.
    """
    email = User.objects.normalize_email(email)
    confirmed = EmailAddress.objects.filter(email=email, verified=True).select_related("user")
    if row := confirmed.first():
        return row.user
    return User.objects.filter(email=email).first()


def has_confirmed(user: User, email: str) -> bool:
    """Tell whether an address is confirmed to be this person's."""
    rows = EmailAddress.objects.filter(user=user, email=User.objects.normalize_email(email))
    return rows.filter(verified=True).exists()


def is_taken(email: str, by_other_than: User | None = None) -> bool:
    """Tell whether an address belongs to another account."""
    owner = account_of(email)
    return owner is not None and owner != by_other_than


def unconfirmed() -> QuerySet[EmailAddress]:
    """Return the addresses of accounts that nobody has confirmed."""
    own = EmailAddress.objects.filter(verified=False, email=F("user__email"))
    return own.select_related("user").order_by("email")
