"""Capture the log as it is written, at the most verbose level, and search it for secrets."""

from __future__ import annotations

import base64
import binascii
import io
import logging.config
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

from django.conf import settings

from console.monitoring.logs import configuration


@contextmanager
def written(form: str, level: str = "DEBUG") -> Iterator[Callable[[], str]]:
    """Configure logging as a server does; yield a function that returns the output so far."""
    stream = io.StringIO()
    handlers = logging.getLogger().handlers[:]
    logging.config.dictConfig(configuration(form=form, level=level))
    (handler,) = logging.getLogger().handlers
    handler.stream = stream
    try:
        yield stream.getvalue
    finally:
        logging.config.dictConfig(settings.LOGGING)
        logging.getLogger().handlers[:] = handlers


def leaked(log: str, secrets: dict[str, str]) -> list[str]:
    """Return the secrets that the log contains, in any encoding."""
    return [
        f"{name} ({encoding})"
        for name, secret in secrets.items()
        for encoding, text in _encodings(secret)
        if text in log
    ]


def _encodings(secret: str) -> Iterator[tuple[str, str]]:
    raw = secret.encode()
    yield "raw", secret
    yield "reversed", secret[::-1]
    yield "URL", quote(secret, safe="")
    yield "URL twice", quote(quote(secret, safe=""), safe="")
    yield "hexadecimal", binascii.hexlify(raw).decode()
    for shift in range(3):  # at any offset in a longer text, as in Basic authentication
        for name, encode in (
            ("base64", base64.b64encode),
            ("base64url", base64.urlsafe_b64encode),
        ):
            coded = encode(b"x" * shift + raw).decode().rstrip("=")
            yield name, coded[(shift and 4) : len(coded) - 2]
