"""Sign webhook messages (Standard Webhooks 1.0).

The signature is an HMAC-SHA256 over ``<webhook-id>.<webhook-timestamp>.<body>``. The secret
is base64 with the prefix ``whsec_``.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from datetime import datetime

PREFIX = "whsec_"


def new_secret() -> str:
    """Return a new signing secret of 256 random bits."""
    return PREFIX + b64encode(secrets.token_bytes(32)).decode()


def headers(secret: str, *, webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers of a signed message."""
    timestamp = str(int(at.timestamp()))
    key = b64decode(secret.removeprefix(PREFIX))
    signed = b".".join((webhook_id.encode(), timestamp.encode(), body))
    signature = b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }
