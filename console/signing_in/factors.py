"""Second factors: which people need one, and key rotation for their secrets."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.db.models import QuerySet

from console.accounts.http import SignedInRequest
from console.choices import Role
from console.encryption.encrypted_rows import EncryptedRows
from console.encryption.fernet_keys import decrypt_text

#: The key of the secret in the JSON data of each type. A passkey has no secret here.
SEALED = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}

#: The encryption purpose: no other ciphertext can be decrypted as a second factor.
PURPOSE = "second factor"


def is_exposed(request: SignedInRequest) -> bool:
    """Tell whether an operator or super admin signs in without a second factor."""
    leads = any(membership.role == Role.SUPER_ADMIN for membership in request.memberships)
    return (leads or request.user.is_superuser) and not is_mfa_enabled(request.user)


class SealedFactors(EncryptedRows):
    """Secrets of second factors, which allauth keeps in a JSON column."""

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
        # Using a recovery code writes the same column, so read its current value first.
        now = Authenticator.objects.select_for_update().filter(pk=row.pk).first()
        if now and now.data.get(name) == old.decode():
            now.data[name] = new.decode()
            now.save(update_fields=["data"])

    def organization_of(self, row: Any) -> uuid.UUID | None:
        membership = row.user.memberships.active().order_by("pk").first()
        return membership.organization_id if membership else None

    def describe(self, row: Any, name: str) -> str:
        return f"{name} of the second factor “{row.get_type_display()}” of {row.user} ({row.pk})"
