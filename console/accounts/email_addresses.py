"""Which account an e-mail address belongs to: only the account that has confirmed it.

An operator confirms an address by creating the account or by vouching for it; a person confirms
one with a link or code that was mailed to it. ``User.email`` is the primary address. Accounts
whose own address is not confirmed (``unconfirmed()``) cannot sign in until it is.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db.models import F, QuerySet

from console.accounts.models import User


def account_of(email: str) -> User | None:
    """Return the account that an address signs in to and resets the password of.

    This is the account that has confirmed the address or, if none has, the account whose primary
    address it is. An unconfirmed secondary address belongs to no account.
    """
    email = User.objects.normalize_email(email)
    confirmed = EmailAddress.objects.filter(email=email, verified=True).select_related("user")
    if row := confirmed.first():
        return row.user
    return User.objects.filter(email=email).first()


def has_confirmed(user: User, email: str) -> bool:
    """Tell whether a person has confirmed an address."""
    rows = EmailAddress.objects.filter(user=user, email=User.objects.normalize_email(email))
    return rows.filter(verified=True).exists()


def is_taken(email: str, by_other_than: User | None = None) -> bool:
    """Tell whether an address belongs to another account."""
    owner = account_of(email)
    return owner is not None and owner != by_other_than


def unconfirmed() -> QuerySet[EmailAddress]:
    """Return the primary addresses that are not confirmed."""
    own = EmailAddress.objects.filter(verified=False, email=F("user__email"))
    return own.select_related("user").order_by("email")
