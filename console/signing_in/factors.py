"""Second factors as the rest of the console needs them."""

from __future__ import annotations

from collections.abc import Iterator

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt, is_mfa_enabled
from django.db import transaction

from connections.sealing import key_ring
from console.accounts.models import User
from console.accounts.policy import Role

#: Where in its row allauth keeps what each kind rests on; of a passkey it keeps no secret.
SEALED = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}


def is_exposed(user: User) -> bool:
    """Tell whether somebody who can do much signs in with a password alone."""
    memberships = user.memberships.active().filter(role=Role.SUPER_ADMIN)
    can_do_much = user.is_superuser or memberships.exists()
    return can_do_much and not is_mfa_enabled(user)


def sealed_factors() -> Iterator[Authenticator]:
    """Yield every second factor that holds a secret."""
    return Authenticator.objects.filter(type__in=SEALED).order_by("pk").iterator()


def open_one_of_each() -> None:
    """Raise SecretUnreadable if the keys do not open what is stored."""
    for kind, name in SEALED.items():
        if factor := Authenticator.objects.filter(type=kind).first():
            decrypt(factor.data[name])


@transaction.atomic
def rotate(factor: Authenticator, *, dry_run: bool = False) -> None:
    """Write a factor's secret under the first key; raise InvalidToken if no key opens it."""
    # Using a recovery code writes the same column.
    row = Authenticator.objects.select_for_update().filter(pk=factor.pk).first()
    if row is None:
        return
    name = SEALED[Authenticator.Type(row.type)]
    row.data[name] = key_ring().rotate(row.data[name]).decode()
    if not dry_run:
        row.save(update_fields=["data"])
