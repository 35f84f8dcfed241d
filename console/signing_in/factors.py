"""Second factors as the rest of the console needs them."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.db.models import QuerySet

from console.accounts.models import User
from console.choices import Role
from console.encryption.encrypted_rows import EncryptedRows
from console.encryption.fernet_keys import decrypt_text

#: Where in its row allauth keeps what each kind rests on; of a passkey it keeps no secret.
SEALED = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}

#: What a second factor is sealed for: nothing else in the database opens as one.
PURPOSE = "second factor"


def is_exposed(user: User) -> bool:
    """Tell whether somebody who can do much signs in with a password alone."""
    memberships = user.memberships.active().filter(role=Role.SUPER_ADMIN)
    can_do_much = user.is_superuser or memberships.exists()
    return can_do_much and not is_mfa_enabled(user)


class SealedFactors(EncryptedRows):
    """Second factors: allauth keeps the sealed text within a JSON column."""

    def __init__(self) -> None:
        super().__init__(Authenticator)

    def rows(self) -> QuerySet[Authenticator]:
        return Authenticator.objects.filter(type__in=SEALED).select_related("user")

    def ciphertexts(self, row: Any) -> dict[str, bytes]:
        name = SEALED[Authenticator.Type(row.type)]
        value = row.data.get(name)
        return {name: value.encode()} if isinstance(value, str) else {}

    def reveal(self, row: Any, name: str) -> Any:
        return decrypt_text(row.data[name], purpose=PURPOSE)

    def replace(self, row: Any, name: str, old: bytes, new: bytes) -> None:
        # Using a recovery code writes the same column: the rest of it is read again.
        now = Authenticator.objects.select_for_update().filter(pk=row.pk).first()
        if now and now.data.get(name) == old.decode():
            now.data[name] = new.decode()
            now.save(update_fields=["data"])

    def organization_of(self, row: Any) -> uuid.UUID | None:
        membership = row.user.memberships.active().order_by("pk").first()
        return membership.organization_id if membership else None

    def describe(self, row: Any, name: str) -> str:
        return f"{name} of the second factor “{row.get_type_display()}” of {row.user} ({row.pk})"
