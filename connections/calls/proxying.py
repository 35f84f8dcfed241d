"""Pass one call of a program on to the service, and the service's answer back.

The credential is put on last. Where the service refuses it, which is 401 and what the
connector's ``[check] refused_statuses`` name, the access token is renewed and the call made
once more, if its body is here to be sent again (``api_refusal.py``). Whatever else the service
says is passed on. Nothing is sent twice for being late or for an error of the service.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from django.conf import settings

from connections.calls.prepared_cache import renew
from connections.calls.prepared_call import PreparedCall
from connections.calls.proxy_headers import (
    DROPPED_FROM_REQUEST,
    headers_back,
    headers_out,
    loop_token,
    names,
    query_out,
)
from connections.calls.response_urls import ApiAddresses
from connectors.api.request_urls import address_below
from connectors.api.www_authenticate import refuses_credential
from connectors.errors import ServiceForbidden
from connectors.http.connection_pool import CallLimits
from connectors.http.http_client import user_agent, validate_header
from connectors.http.ssrf import MAX_TARGET_LENGTH
from connectors.http.stream import StreamedResponse, StreamedUpload, relay

#: What a path may hold as it is; the rest is encoded.
_SAFE_IN_PATH = "/%:@!$&'()*+,;=~"
_METHOD = re.compile(r"[A-Z][A-Z_-]{0,19}")
_NO_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})


class MethodRefused(Exception):
    """A method that means something to a proxy itself, or none at all."""


class PathRefused(Exception):
    """The path leads out of the service's API, or cannot be sent."""


class AddressTooLong(Exception):
    """Path and query together are longer than what is sent to any service."""


class HeaderRefused(Exception):
    """A header that cannot be sent."""


@dataclass(frozen=True, kw_only=True)
class ProxyCall:
    """What a program asks for: ``path`` is empty or begins with a slash, and goes out as it came.

    What is percent-encoded in it stays so: a slash within a segment arrives as ``%2F``.
    ``proxy`` is the address on this console that stands for the API's.
    """

    method: str
    path: str
    query: str = ""
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)
    body: bytes | StreamedUpload | None = field(default=None, repr=False)
    proxy: str = ""


@dataclass(kw_only=True)
class ProxyResponse:
    """An answer on its way back: ``headers`` are those for the program."""

    relayed: StreamedResponse
    headers: list[tuple[str, str]]
    refreshed: bool = False


def limits() -> CallLimits:
    """Return what the deployment allows a call."""
    return CallLimits(
        seconds=settings.PROXY_SECONDS,
        max_bytes=settings.PROXY_MAX_ANSWER_BYTES,
        at_once=settings.PROXY_CALLS_AT_ONCE,
    )


def pass_on(call: ProxyCall, acting: PreparedCall) -> ProxyResponse:
    """Make a call and return its answer, which must be closed or read to its end.

    Raise :class:`MethodRefused`, :class:`PathRefused`, :class:`AddressTooLong`,
    :class:`HeaderRefused`, ``NotAuthorized``, ``NotRenewed`` or another ``ServiceError``.
    """
    refreshed = False
    relayed, asked, dropped = _sent(call, acting)
    try:
        if _is_refused(acting, relayed) and (newer := renew(acting)):
            refreshed = True
            if not isinstance(
                call.body, StreamedUpload
            ):  # else the token is there for the next call
                relayed.close()
                acting = newer
                relayed, asked, dropped = _sent(call, acting)
                if _is_refused(acting, relayed):
                    renew(acting, just_obtained=True)
        headers = headers_back(
            relayed.headers,
            ApiAddresses(base=acting.base, proxy=call.proxy, asked=asked),
            acting.mask,
            cookies=acting.connector.api_cookies,
        )
    except BaseException:
        relayed.close()
        raise
    if dropped:
        headers.append((DROPPED_FROM_REQUEST, names(dropped)))
    return ProxyResponse(relayed=relayed, headers=headers, refreshed=refreshed)


def _is_refused(acting: PreparedCall, relayed: StreamedResponse) -> bool:
    """Tell whether the service refuses the credential, and not only a permission."""
    challenges = (value for name, value in relayed.headers if name.lower() == "www-authenticate")
    return refuses_credential(acting.connector, relayed.status, challenges)


def _sent(call: ProxyCall, acting: PreparedCall) -> tuple[StreamedResponse, str, list[str]]:
    """Return the answer, the address that was asked, and the headers that were left out."""
    service = acting.connector.name
    if not _METHOD.fullmatch(call.method) or call.method in _NO_METHODS:
        raise MethodRefused(f"The method {call.method[:20]!r} is not passed on to a service.")
    signed, place = acting.signed, acting.place
    query = query_out(call.query, signed.params)
    try:
        address = address_below(acting.base, _encoded(call.path), service=service)
        asked = f"{address}?{query}" if query else address
        if len(asked) > MAX_TARGET_LENGTH:
            raise AddressTooLong(
                f"Path and query take {len(asked):,} characters, and {MAX_TARGET_LENGTH:,} is the "
                "most that this console sends. Nothing was sent."
            )
        target = place.target_of(asked, service=service)
    except ServiceForbidden as error:
        raise PathRefused(str(error)) from None
    passed = headers_out(
        call.headers, acting.headers, signed.headers, cookies=acting.connector.api_cookies
    )
    headers = passed.headers
    _judge(headers.items(), service)
    headers.setdefault("User-Agent", user_agent())
    headers["CDN-Loop"] = loop_token()
    relayed = relay(
        call.method,
        place,
        target,
        service=service,
        credential=acting.credential.pk,
        headers=headers,
        body=call.body,
        limits=limits(),
    )
    return relayed, asked, passed.dropped


def _judge(headers: Iterable[tuple[str, str]], service: str) -> None:
    try:
        for name, value in headers:
            validate_header(name, value, service)
    except ServiceForbidden as error:
        raise HeaderRefused(str(error)) from None


def _encoded(path: str) -> str:
    """Return a path as it goes into an address: what none may hold is percent-encoded."""
    quoted = quote(path.encode("latin-1", "replace"), safe=_SAFE_IN_PATH)
    return re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", quoted)
