"""Which headers, and which of a query, pass between a program and a service (RFC 9110, 7.6.1).

What says how a message is sent belongs to each way by itself; what says who calls is the
console's on one side and the credential's on the other; what a browser or a server in front
of the console would obey never comes back. The guide for developers holds these lists, and a
test compares the two.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from urllib.parse import quote, unquote, unquote_plus, urlencode

from django.conf import settings

from connections.calls import service_cookies
from connections.calls.response_urls import ApiAddresses
from console.encryption.redaction import Redactor

#: Each message has its own (RFC 9110 section 7.6.1).
BETWEEN_NEIGHBOURS = frozenset(
    {"connection", "content-length", "http2-settings", "keep-alive", "proxy-connection", "te"}
    | {"trailer", "transfer-encoding", "upgrade"}
)
#: What a server in front of the console obeys, be it its own or the service's: nginx, Apache,
#: lighttpd, LiteSpeed, Perlbal, Envoy, App Engine, and the caches that read ESI or RFC 9213.
FOR_SERVERS = frozenset(
    {"x-accel-*", "x-sendfile*", "x-lighttpd-*", "x-litespeed-*", "x-reproxy-*", "x-envoy-*"}
    | {"x-appengine-*", "surrogate-*", "edge-*", "*cdn-cache-control"}
)
#: Said by the program, or by what stands before it, to this console, which says its own instead.
REPLACED_OUT = frozenset(
    {"authorization", "host", "forwarded", "via", "cdn-loop", "expect", "accept-encoding"}
    | {"x-real-ip", "x-request-start", "x-forwarded-*", "console-*"}
)
DROPPED_OUT = frozenset(
    {"cookie2", "proxy-*", "sec-*", "x-original-url", "x-override-url", "x-rewrite-url"}
)
#: The console's own server says these.
REPLACED_BACK = frozenset({"date", "server", "x-content-type-options"})
#: What a browser would obey, as if the console had said it.
DROPPED_BACK = frozenset(
    {"set-cookie2", "content-security-policy", "content-security-policy-report-only"}
    | {"strict-transport-security", "public-key-pins", "public-key-pins-report-only", "expect-ct"}
    | {"cross-origin-opener-policy", "cross-origin-opener-policy-report-only"}
    | {"cross-origin-embedder-policy", "cross-origin-embedder-policy-report-only"}
    | {"cross-origin-resource-policy", "origin-agent-cluster", "clear-site-data", "alt-svc"}
    | {"refresh", "nel", "report-to", "reporting-endpoints", "service-worker-allowed", "sourcemap"}
    | {"x-sourcemap", "x-frame-options", "permissions-policy", "feature-policy"}
    | {"document-policy", "accept-ch", "critical-ch", "speculation-rules", "referrer-policy"}
    | {"x-xss-protection", "supports-loading-mode"}
    | {"access-control-*", "console-*", "proxy-*", "sec-*"}
)
#: Their values are addresses.
ADDRESSES = frozenset({"location", "content-location", "operation-location"}) | {
    "azure-asyncoperation"
}
LINKS = frozenset({"link"})
COOKIES = frozenset({"cookie", "set-cookie"})
#: What comes with every answer. A cache in front gives no answer to another key or person.
ALWAYS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Vary", "Authorization, Console-User"),
]
#: These name, without values, what did not pass.
DROPPED_FROM_REQUEST = "Console-Dropped-Request"
DROPPED_FROM_RESPONSE = "Console-Dropped-Response"
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
#: What may stand in a query as it is (RFC 3986 section 3.4), beside what is encoded already.
_SAFE_IN_QUERY = "!$%&'()*+,/:;=?@~"


#: What becomes of a header: ``REPLACED`` without a word, ``DROPPED`` by name. Plain words, for
#: members of an enumeration cost a call some microseconds.
_PASSED, _REPLACED, _DROPPED = "passed", "replaced", "dropped"
_ADDRESS, _LINK, _COOKIE = "address", "link", "cookie"


@dataclass(frozen=True, kw_only=True)
class SentRequest:
    """The headers for the service, and the names of those that did not pass."""

    headers: dict[str, str]
    dropped: list[str]


def headers_out(
    headers: Iterable[tuple[str, str]],
    defaults: Mapping[str, str],
    signature: Mapping[str, str],
    *,
    cookies: bool = False,
) -> SentRequest:
    """Return what goes to the service: the connector's, over them the program's, signed last."""
    passed = {name.lower(): (name, value) for name, value in defaults.items()}
    named: set[str] = set()
    dropped: list[str] = []
    encoding = "identity"
    for name, value in headers:
        lower = name.lower()
        fate = _fate_out(lower)
        if fate is _COOKIE:
            value = service_cookies.sent(value) if cookies else ""
            fate = _PASSED if value else _DROPPED
        if fate is _PASSED:
            passed[lower] = name, value
        elif fate is _DROPPED:
            dropped.append(name)
        elif lower == "connection":
            named.update(word.strip().lower() for word in value.split(","))
        elif lower == "accept-encoding":
            encoding = value
    for lower in named:
        passed.pop(lower, None)
    for name in signature:
        # That a key of its own was sent may surprise who sent it; Authorization was ours.
        if (found := passed.pop(name.lower(), None)) is not None:
            dropped.append(found[0])
    sent = {**dict(passed.values()), "Accept-Encoding": encoding, **signature}
    return SentRequest(headers=sent, dropped=dropped)


def headers_back(
    headers: Iterable[tuple[str, str]],
    addresses: ApiAddresses,
    mask: Redactor,
    *,
    cookies: bool = False,
) -> list[tuple[str, str]]:
    """Return what comes back to the program of an answer.

    An address in the API becomes one on the console; another one passes. Whatever holds the
    credential does not. The last header names what did not pass.
    """
    passed: list[tuple[str, str]] = []
    named: set[str] = set()
    dropped: list[str] = []
    for name, value in headers:
        lower = name.lower()
        fate = _fate_back(lower)
        if fate is _REPLACED:
            if lower == "connection":
                named.update(word.strip().lower() for word in value.split(","))
            continue
        if not _NAME.fullmatch(name):
            continue
        if not _VALUE.fullmatch(value):
            fate = _DROPPED
        elif fate is _COOKIE:
            value = service_cookies.set_below(value, addresses) if cookies else ""
            fate = _PASSED if value else _DROPPED
        elif fate is _ADDRESS or fate is _LINK:
            shown = _decoded(value)
            value = addresses.link(value) if fate is _LINK else addresses.of(value)
            fate = _DROPPED if mask.finds(shown) else _PASSED
        if fate is _DROPPED:
            dropped.append(name)
        else:
            passed.append((name, value))
    if mask.finds("\n".join([value for _, value in passed])):
        dropped += [name for name, value in passed if mask.finds(value)]
        passed = [(name, value) for name, value in passed if not mask.finds(value)]
    if named:
        passed = [(name, value) for name, value in passed if name.lower() not in named]
    passed += ALWAYS
    if dropped:
        passed.append((DROPPED_FROM_RESPONSE, names(dropped)))
    return passed


def names(dropped: Iterable[str]) -> str:
    """Write a list of names, each once (RFC 9110 section 5.6.1)."""
    return ", ".join(dict.fromkeys(dropped))


def query_out(query: str, signature: Mapping[str, str]) -> str:
    """Return a query as it was written, in its order, signed last.

    Whatever a server could take for a parameter of the signature is left out.
    """
    if signature and query:
        names = {name.lower() for name in signature}
        query = "&".join(part for part in query.split("&") if not _named(part) & names)
    query = quote(query.encode("latin-1", "replace"), safe=_SAFE_IN_QUERY)
    query = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", query)
    return "&".join(filter(None, (query, urlencode(signature))))


@lru_cache(maxsize=8)
def _token_of(public_url: str) -> str:
    return f"developer-console-{hashlib.sha256(public_url.encode()).hexdigest()[:16]}"


def loop_token() -> str:
    """Name this console to itself: a call that comes with it goes round in a circle (RFC 8586)."""
    return _token_of(settings.PUBLIC_URL)


def _named(part: str) -> set[str]:
    """Name the parameters in a part of a query: some servers part them by semicolons, too."""
    return {unquote_plus(each.partition("=")[0]).strip().lower() for each in part.split(";")}


@lru_cache(maxsize=1_000)
def _fate_out(lower: str) -> str:
    if _is_in(BETWEEN_NEIGHBOURS | REPLACED_OUT, lower):
        return _REPLACED
    if lower == "cookie":
        return _COOKIE
    return _DROPPED if _is_in(DROPPED_OUT | FOR_SERVERS, lower) else _PASSED


@lru_cache(maxsize=1_000)
def _fate_back(lower: str) -> str:
    if _is_in(BETWEEN_NEIGHBOURS | REPLACED_BACK, lower):
        return _REPLACED
    if lower == "set-cookie":
        return _COOKIE
    if lower in ADDRESSES:
        return _ADDRESS
    if lower in LINKS:
        return _LINK
    return _DROPPED if _is_in(DROPPED_BACK | FOR_SERVERS, lower) else _PASSED


def _is_in(patterns: Iterable[str], lower: str) -> bool:
    return any(fnmatchcase(lower, pattern) for pattern in patterns)


def _decoded(value: str) -> str:
    """Return an address as it is written and as each reader could decode it."""
    return "\n".join((value, unquote(value), unquote_plus(value), unquote(unquote(value))))
