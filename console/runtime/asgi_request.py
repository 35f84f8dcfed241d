"""Requests as an ASGI server gives them, and the same as a WSGI environment (PEP 3333)."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGI = Callable[[Message, Receive, Send], Awaitable[None]]
Environ = dict[str, Any]

#: How long the rest of a body is received after the answer, in total and between two pieces.
LINGER_SECONDS, LINGER_IDLE_SECONDS = 30.0, 2.0

_ALWAYS: Environ = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
}
_CGI_NAMES = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}
_PROXY_URL = re.compile(r"/api/v1/connections/([^/]*)/proxy(/.*)?", re.DOTALL)


class ClientDisconnected(OSError):
    """The client disconnected before the complete body had arrived."""


async def next_piece(receive: Receive) -> tuple[bytes, bool]:
    """Receive a piece of a body; tell whether it was the last one."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnected("the client disconnected before the complete body had arrived")
    return message.get("body", b""), not message.get("more_body", False)


async def wait_for_disconnect(receive: Receive) -> None:
    """Return when the client has disconnected; its body must have been received."""
    while not (await receive())["type"].endswith(".disconnect"):
        pass


async def discard_rest(receive: Receive) -> None:
    """Receive the rest of a body after the answer, for some time (RFC 9112 section 9.6).

    The server would reset the connection, and a client that is still sending, such as nginx,
    would not read the answer.
    """
    with suppress(TimeoutError, ClientDisconnected):
        async with asyncio.timeout(LINGER_SECONDS):
            is_over = False
            while not is_over:
                async with asyncio.timeout(LINGER_IDLE_SECONDS):
                    _, is_over = await next_piece(receive)


def environ_of(scope: Message) -> Environ:
    """Return the WSGI environment of a request, without ``wsgi.input``."""
    raw: bytes = scope["raw_path"]
    query = scope["query_string"].decode("latin-1")
    target = raw.decode("latin-1")
    host, port = scope["server"]
    environ = _ALWAYS | {
        "REQUEST_METHOD": scope.get("method", "GET"),  # a WebSocket has none
        "RAW_URI": f"{target}?{query}" if query else target,
        "PATH_INFO": unquote_to_bytes(raw).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
    }
    for name, value in scope["headers"]:
        key = _environ_key(name)
        if not key:
            continue
        text = value.decode("latin-1")
        if (before := environ.get(key)) is None:
            environ[key] = text
        else:
            environ[key] = f"{before}; {text}" if key == "HTTP_COOKIE" else f"{before},{text}"
    return environ


def header_list(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the headers of a request; only their case is lost."""
    headers = [(_header_name(k), value) for k, value in environ.items() if k.startswith("HTTP_")]
    if content_type := environ.get("CONTENT_TYPE"):
        headers.append(("Content-Type", content_type))
    return headers


def match_proxy_url(scope: Message) -> re.Match[str] | None:
    """Match the URL of a proxied call: the link name and the path at the service.

    Both are as they were sent: a slash within a segment stays ``%2F``.
    """
    return match_proxy_path(scope["raw_path"].decode("latin-1"))


def match_proxy_path(path: str) -> re.Match[str] | None:
    """Match the path of a request target; see :func:`match_proxy_url`."""
    if not path.startswith("/"):  # absolute form, as sent to a proxy (RFC 9112 section 3.2.2)
        path = "/" + path.partition("://")[2].partition("/")[2]
    return _PROXY_URL.fullmatch(path)


def may_have_body(environ: Mapping[str, Any]) -> bool:
    """Tell whether a body may follow; HTTP/2 needs no header for one (RFC 9113 section 8.1)."""
    if "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
        return True
    return bool(environ["SERVER_PROTOCOL"].startswith("HTTP/2"))


@lru_cache(maxsize=1_000)
def _environ_key(name: bytes) -> str:
    """Return the key of a header in the environment, empty for one that is left out."""
    if b"_" in name:  # X_A and X-A have the same key, so one could be mistaken for the other
        return ""
    lower = name.lower()
    return _CGI_NAMES.get(lower) or f"HTTP_{lower.decode('latin-1').upper().replace('-', '_')}"


@lru_cache(maxsize=1_000)
def _header_name(key: str) -> str:
    return key[5:].replace("_", "-").title()
