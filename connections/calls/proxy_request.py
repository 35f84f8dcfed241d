"""The request of a proxied call, as it goes to the service: headers, cookies, query and URL.

Hop-by-hop headers (RFC 9110 section 7.6.1) are set for each connection separately. What names
the caller belongs to the console on one side and to the credential on the other. The developer
guide publishes these lists, and a test compares them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from urllib.parse import quote, unquote_plus, urlencode

from django.conf import settings

from connections.calls.errors import HeaderRefused, MethodRefused, PathRefused, UrlTooLong
from connections.calls.prepared_call import PreparedCall
from connectors.api.request_urls import url_below
from connectors.errors import ServiceForbidden
from connectors.http.http_client import user_agent, validate_header
from connectors.http.ssrf import MAX_TARGET_LENGTH
from connectors.http.stream import StreamedUpload

#: Hop-by-hop headers: each connection has its own (RFC 9110 section 7.6.1).
HOP_BY_HOP = frozenset(
    {"connection", "content-length", "http2-settings", "keep-alive", "proxy-connection", "te"}
    | {"trailer", "transfer-encoding", "upgrade"}
)
#: What a reverse proxy obeys, the console's or the service's: nginx, Apache, lighttpd,
#: LiteSpeed, Perlbal, Envoy, App Engine, and caches that read ESI or RFC 9213.
FOR_SERVERS = frozenset(
    {"x-accel-*", "x-sendfile*", "x-lighttpd-*", "x-litespeed-*", "x-reproxy-*", "x-envoy-*"}
    | {"x-appengine-*", "surrogate-*", "edge-*", "*cdn-cache-control"}
)
#: Meant for this console, which sends its own instead.
REPLACED_IN_REQUEST = frozenset(
    {"authorization", "host", "forwarded", "via", "cdn-loop", "expect", "accept-encoding"}
    | {"x-real-ip", "x-request-start", "x-forwarded-*", "console-*"}
)
DROPPED_IN_REQUEST = frozenset(
    {"cookie2", "proxy-*", "sec-*", "x-original-url", "x-override-url", "x-rewrite-url"}
)
#: Passed only if the connector's definition says that the API needs cookies (``api_cookies``).
COOKIES = frozenset({"cookie", "set-cookie"})
#: Names, without values, the request headers that were not sent to the service.
DROPPED_REQUEST_HEADER = "Console-Dropped-Request"

#: Characters that a query may contain as they are (RFC 3986 section 3.4), beside escapes.
_SAFE_IN_QUERY = "!$%&'()*+,/:;=?@~"
#: The same for a path.
_SAFE_IN_PATH = "/%:@!$&'()*+,;=~"
_METHOD = re.compile(r"[A-Z][A-Z_-]{0,19}")
_REFUSED_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})
#: What happens to a header. Strings, as members of an enumeration cost each call microseconds.
PASSED, REPLACED, DROPPED, COOKIE = "passed", "replaced", "dropped", "cookie"


@dataclass(frozen=True, kw_only=True)
class ProxyRequest:
    """A program's request for the service: ``path`` and ``query`` as they were sent.

    Percent-encoding is kept: a slash within a segment stays ``%2F``. ``proxy_url`` is the
    API's URL on this console.
    """

    method: str
    path: str
    query: str = ""
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)
    body: bytes | StreamedUpload | None = field(default=None, repr=False)
    proxy_url: str = ""


@dataclass(frozen=True, kw_only=True)
class OutgoingRequest:
    """The same request, signed and checked: ``dropped`` names headers that are not sent."""

    url: str
    target: str
    headers: dict[str, str] = field(repr=False)
    dropped: list[str]


@dataclass(frozen=True, kw_only=True)
class OutgoingHeaders:
    """Headers for the service, and the names of those that are not sent."""

    headers: dict[str, str]
    dropped: list[str]


def outgoing_request(request: ProxyRequest, prepared: PreparedCall) -> OutgoingRequest:
    """Return a request as it goes to the service, or raise ``CallRefused``."""
    service = prepared.connector.name
    if not _METHOD.fullmatch(request.method) or request.method in _REFUSED_METHODS:
        raise MethodRefused(f"The method {request.method[:20]!r} is not passed on to a service.")
    url, target = _url(request, prepared)
    outgoing = outgoing_headers(
        request.headers,
        prepared.headers,
        prepared.signed.headers,
        pass_cookies=prepared.connector.api_cookies,
    )
    headers = outgoing.headers
    try:
        for name, value in headers.items():
            validate_header(name, value, service)
    except ServiceForbidden as error:
        raise HeaderRefused(str(error)) from None
    headers.setdefault("User-Agent", user_agent())
    headers["CDN-Loop"] = loop_token()
    return OutgoingRequest(url=url, target=target, headers=headers, dropped=outgoing.dropped)


def outgoing_headers(
    headers: Iterable[tuple[str, str]],
    defaults: Mapping[str, str],
    signature: Mapping[str, str],
    *,
    pass_cookies: bool = False,
) -> OutgoingHeaders:
    """Return the connector's default headers, the program's over them, and the signature last."""
    passed = {name.lower(): (name, value) for name, value in defaults.items()}
    connection_options: set[str] = set()
    dropped: list[str] = []
    encoding = "identity"
    for name, value in headers:
        lower = name.lower()
        handling = _handling(lower)
        if handling is COOKIE:
            value = _without_own_cookies(value) if pass_cookies else ""
            handling = PASSED if value else DROPPED
        if handling is PASSED:
            passed[lower] = name, value
        elif handling is DROPPED:
            dropped.append(name)
        elif lower == "connection":
            connection_options.update(word.strip().lower() for word in value.split(","))
        elif lower == "accept-encoding":
            encoding = value
    for lower in connection_options:
        passed.pop(lower, None)
    for name in signature:
        # The program may wonder why its own key has no effect; Authorization was for the console.
        if (replaced := passed.pop(name.lower(), None)) is not None:
            dropped.append(replaced[0])
    sent = {**dict(passed.values()), "Accept-Encoding": encoding, **signature}
    return OutgoingHeaders(headers=sent, dropped=dropped)


def outgoing_query(query: str, signature: Mapping[str, str]) -> str:
    """Return a query in its order, with the signature last.

    Parameters that a server could take for the signature are left out.
    """
    if signature and query:
        names = {name.lower() for name in signature}
        query = "&".join(part for part in query.split("&") if not _parameters(part) & names)
    query = _percent_encoded(query, _SAFE_IN_QUERY)
    return "&".join(filter(None, (query, urlencode(signature))))


def loop_token() -> str:
    """Return the name of this console in ``CDN-Loop``, which detects loops (RFC 8586)."""
    return _token_of(settings.PUBLIC_URL)


def matches(patterns: Iterable[str], lower: str) -> bool:
    """Tell whether the lower-case name of a header is in one of these lists."""
    return any(fnmatchcase(lower, pattern) for pattern in patterns)


def header_list(names: Iterable[str]) -> str:
    """Return a list of names as a header value, each once (RFC 9110 section 5.6.1)."""
    return ", ".join(dict.fromkeys(names))


def _url(request: ProxyRequest, prepared: PreparedCall) -> tuple[str, str]:
    service = prepared.connector.name
    query = outgoing_query(request.query, prepared.signed.params)
    destination = prepared.destination  # raises ServiceForbidden, which is not about the path
    try:
        url = url_below(
            prepared.base, _percent_encoded(request.path, _SAFE_IN_PATH), service=service
        )
        url = f"{url}?{query}" if query else url
        if len(url) > MAX_TARGET_LENGTH:
            raise UrlTooLong(
                f"Path and query have {len(url):,} characters; this console sends at most "
                f"{MAX_TARGET_LENGTH:,}. Nothing was sent."
            )
        return url, destination.target_of(url, service=service)
    except ServiceForbidden as error:
        raise PathRefused(str(error)) from None


def _percent_encoded(text: str, safe: str) -> str:
    """Encode the characters that a URL may not contain; valid escapes stay as they are."""
    quoted = quote(text.encode("latin-1", "replace"), safe=safe)
    return re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", quoted)


def _without_own_cookies(value: str) -> str:
    """Return a ``Cookie`` header without the console's own cookies."""
    own = {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    pairs = (pair.strip() for pair in value.split(";"))
    return "; ".join(pair for pair in pairs if pair and pair.partition("=")[0].strip() not in own)


def _parameters(part: str) -> set[str]:
    """Return the names in a part of a query; some servers also split it at semicolons."""
    return {unquote_plus(each.partition("=")[0]).strip().lower() for each in part.split(";")}


@lru_cache(maxsize=8)
def _token_of(public_url: str) -> str:
    return f"developer-console-{hashlib.sha256(public_url.encode()).hexdigest()[:16]}"


@lru_cache(maxsize=1_000)
def _handling(lower: str) -> str:
    if matches(HOP_BY_HOP | REPLACED_IN_REQUEST, lower):
        return REPLACED
    if lower == "cookie":
        return COOKIE
    return DROPPED if matches(DROPPED_IN_REQUEST | FOR_SERVERS, lower) else PASSED
