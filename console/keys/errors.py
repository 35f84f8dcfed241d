"""Errors of authentication in the runtime API, as a small tree.

AuthenticationFailed
├── KeyRefused        401: the key is missing or invalid
├── KeyInUrl          400: the URL contains a key
├── TooManyGuesses    429: too many wrong keys from one network address
└── TokenRefused      401: the person's token is invalid
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class AuthenticationFailed(Exception):
    """The request is not authenticated. ``slug`` is its problem type.

    ``headers`` are added to the response.
    """

    slug: ClassVar[str]
    message: ClassVar[str] = ""

    def __init__(self, message: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message or self.message)
        self.headers = dict(headers or {})


class KeyRefused(AuthenticationFailed):
    """The key is missing, unknown, revoked or wrong; the response is always the same."""

    slug = "key-refused"
    message = (
        "The API key is missing or invalid. Send a key of the application as "
        "“Authorization: Bearer <key>”. Revoked keys no longer work."
    )

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class KeyInUrl(AuthenticationFailed):
    """The path or query contains a key, where logs and histories keep it."""

    slug = "key-in-address"
    message = (
        "The URL of this request contains an API key, where logs keep it. Send the key as "
        "“Authorization: Bearer <key>”, and revoke this one: others may have read it."
    )


class TooManyGuesses(AuthenticationFailed):
    """Too many wrong keys came from one network address."""

    slug = "too-many-wrong-keys"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"Too many wrong keys came from this network address. Wait {seconds} s, and check "
            "which key your program sends.",
            headers={"Retry-After": str(seconds)},
        )


class TokenRefused(AuthenticationFailed):
    """``Console-User`` does not contain a valid token for this key."""

    slug = "user-token-refused"
