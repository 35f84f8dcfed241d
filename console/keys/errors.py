"""Why a program's request is not let in, as a small tree.

Refused
├── KeyRefused        401: no key, or one that does not count
├── KeyInAddress      400: a key stands in the address
├── TooManyGuesses    429: too many wrong keys from one network address
├── TokenRequired     401: only with a token that names a person
└── TokenRefused      401: the token does not name one
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class AuthenticationFailed(Exception):
    """A request that is not let in: the sentence says why, ``slug`` names the kind of problem.

    ``headers`` belong to the answer.
    """

    slug: ClassVar[str]
    sentence: ClassVar[str] = ""

    def __init__(self, sentence: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence or self.sentence)
        self.headers = dict(headers or {})


class KeyRefused(AuthenticationFailed):
    """No key, one that is not there, revoked or wrong: all of it looks alike from outside."""

    slug = "key-refused"
    sentence = (
        "This request has no key that counts. Send a key of the application as "
        "“Authorization: Bearer <key>”; one that was revoked does not count any more."
    )

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class KeyInAddress(AuthenticationFailed):
    """A key in a path or query, where logs and histories keep it."""

    slug = "key-in-address"
    sentence = (
        "A key stands in the address of this request, where logs keep it. Send it as "
        "“Authorization: Bearer <key>”, and revoke this one: others may have read it."
    )


class TooManyGuesses(AuthenticationFailed):
    """More wrong keys came from one network address than anybody mistypes."""

    slug = "too-many-wrong-keys"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"Too many wrong keys came from this network address. Wait {seconds} s, and check "
            "which key your program sends.",
            headers={"Retry-After": str(seconds)},
        )


class TokenRequired(AuthenticationFailed):
    """Each person uses his own authorization here, and nobody is named."""

    slug = "user-token-required"


class TokenRefused(AuthenticationFailed):
    """``Console-User`` holds something else than a token that counts here."""

    slug = "user-token-refused"
