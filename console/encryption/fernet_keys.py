"""The Fernet keys of ``CRYPTOGRAPHY_KEYS``: the first one encrypts, all of them decrypt."""

from __future__ import annotations

import functools
import hashlib
import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from connectors.errors import ServiceError


class SecretUnreadable(ServiceError):
    """A stored secret that cannot be decrypted: its key is missing, or it belongs to another row.

    A ``ServiceError``, because no call to a service is possible without the secret.
    """


@functools.cache
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured(
            "CRYPTOGRAPHY_KEYS must be one or more Fernet keys (32 bytes, base64), "
            "separated by commas, the newest one first."
        ) from error


def key_ring() -> MultiFernet:
    """Return the key ring for the current settings."""
    return _ring(tuple(settings.CRYPTOGRAPHY_KEYS))


@functools.cache
def _fernet(key: str) -> Fernet:
    return Fernet(key)


def uses_first_key(token: bytes) -> bool:
    """Tell whether a Fernet token is encrypted with the first key."""
    key_ring()  # reports malformed keys
    try:
        _fernet(settings.CRYPTOGRAPHY_KEYS[0]).decrypt(token)
    except InvalidToken:
        return False
    return True


def first_key_id() -> str:
    """Return an identifier of the first key. Keys are random, so the hash does not reveal them."""
    key_ring()
    return hashlib.sha256(settings.CRYPTOGRAPHY_KEYS[0].encode()).hexdigest()[:16]


def encrypt_text(text: str, *, purpose: str) -> str:
    """Encrypt text that is stored outside an encrypted field, such as in a cookie.

    Decrypting it requires the same ``purpose``.
    """
    return key_ring().encrypt(json.dumps([purpose, text]).encode()).decode()


def decrypt_text(encrypted: str, *, purpose: str, max_age: int | None = None) -> str:
    """Decrypt the result of :func:`encrypt_text` if it is at most ``max_age`` seconds old."""
    try:
        # As bytes: cryptography raises another error for a string with non-ASCII letters.
        encrypted_for, text = json.loads(key_ring().decrypt(encrypted.encode(), ttl=max_age))
    except InvalidToken as error:
        raise SecretUnreadable(
            f"A {purpose} cannot be decrypted with any key in CRYPTOGRAPHY_KEYS, or it is too old."
        ) from error
    if encrypted_for != purpose:
        raise SecretUnreadable(f"A {purpose} was expected, but the value has another purpose.")
    return text
