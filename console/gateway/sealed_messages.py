"""Messages between nginx and the console, encrypted and authenticated with GATEWAY_SECRET.

Each request has a random nonce, from which both sides derive a key for the request and a key for
the answer (HMAC-SHA256); AES-256-GCM encrypts them. So an answer can be opened only by the sender
of its request: a forged, old or exchanged one is refused. The console refuses a request that is
old or was sent before. Written for nginx in ``deploy/nginx/lua/gateway/sealed_messages.lua``.
"""

from __future__ import annotations

import hmac
import os
import time
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.cache import cache

NONCE, TIMESTAMP, IV = 32, 10, 12
#: How much the clocks of the two machines may differ, and how long a message may travel.
MAX_AGE_SECONDS = 30


class MessageRefused(Exception):
    """A message was not sealed with GATEWAY_SECRET for this path, is old, or was sent before."""


@dataclass(frozen=True, kw_only=True)
class OpenedMessage:
    """The text of a request, and what its answer is sealed with."""

    text: bytes = field(repr=False)
    path: str
    nonce: bytes = field(repr=False)

    def seal_answer(self, text: bytes) -> bytes:
        """Return an answer that only the sender of this request can open."""
        iv = os.urandom(IV)
        return iv + AESGCM(_key("answer", self.nonce)).encrypt(iv, text, self.path.encode())


def open_message(sealed: bytes, path: str) -> OpenedMessage:
    """Open a request that nginx sent to this path, or raise :class:`MessageRefused`."""
    nonce, timestamp = sealed[:NONCE], sealed[NONCE : NONCE + TIMESTAMP]
    iv = sealed[NONCE + TIMESTAMP : NONCE + TIMESTAMP + IV]
    if len(iv) != IV or not timestamp.isdigit():
        raise MessageRefused
    try:
        text = AESGCM(_key("request", nonce)).decrypt(
            iv, sealed[NONCE + TIMESTAMP + IV :], path.encode() + timestamp
        )
    except InvalidTag:
        raise MessageRefused from None
    if abs(time.time() - int(timestamp)) > MAX_AGE_SECONDS:
        raise MessageRefused
    if not cache.add(f"gateway/{nonce.hex()}", 1, 3 * MAX_AGE_SECONDS):
        raise MessageRefused
    return OpenedMessage(text=text, path=path, nonce=nonce)


def _key(purpose: str, nonce: bytes) -> bytes:
    return hmac.digest(settings.GATEWAY_SECRET.encode(), purpose.encode() + nonce, "sha256")
