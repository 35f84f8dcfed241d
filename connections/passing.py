"""Which headers, and which of a query, pass between a program and a service (RFC 9110, 7.6.1).

What says how a message is sent belongs to each way by itself; what says who calls is the
console's on one side and the credential's on the other; what a browser would obey never
reaches the console's own origin.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote, unquote_plus, urlencode, urljoin

from django.conf import settings

from connectors.calling import is_within

_BETWEEN_NEIGHBOURS = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings"}
    | {"proxy-authenticate", "proxy-authorization", "proxy-authentication-info"}
    | {"proxy-connection", "content-length"}
)
#: Said by the program to this console, or by what stands before it.
_OURS = frozenset(
    {"authorization", "cookie", "cookie2", "expect", "forwarded", "host", "via", "cdn-loop"}
    | {"x-real-ip", "x-csrftoken", "x-csrf-token", "x-request-start", "accept-encoding"}
)
_OUR_BEGINNINGS = ("x-forwarded-", "console-", "proxy-", "sec-")

#: What a browser would obey, as if the console had said it.
_FOR_BROWSERS = frozenset(
    {"set-cookie", "set-cookie2", "content-security-policy", "content-security-policy-report-only"}
    | {"strict-transport-security", "public-key-pins", "public-key-pins-report-only", "expect-ct"}
    | {"cross-origin-opener-policy", "cross-origin-opener-policy-report-only"}
    | {"cross-origin-embedder-policy", "cross-origin-embedder-policy-report-only"}
    | {"cross-origin-resource-policy", "origin-agent-cluster", "clear-site-data", "alt-svc"}
    | {"refresh", "nel", "report-to", "reporting-endpoints", "service-worker-allowed", "sourcemap"}
    | {"x-sourcemap", "x-frame-options", "x-content-type-options", "permissions-policy"}
    | {"feature-policy", "document-policy", "accept-ch", "critical-ch", "speculation-rules"}
    | {"referrer-policy", "x-xss-protection", "server", "date", "supports-loading-mode"}
)
_THEIR_BEGINNINGS = ("access-control-", "console-", "proxy-", "sec-")
_ADDRESSES = frozenset({"location", "content-location"})
_ALWAYS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
#: What may stand in a query as it is (RFC 3986 section 3.4), beside what is encoded already.
_SAFE_IN_QUERY = "!$%&'()*+,/:;=?@~"


def headers_out(
    headers: Iterable[tuple[str, str]], defaults: Mapping[str, str], signature: Mapping[str, str]
) -> dict[str, str]:
    """Return what goes to the service: the connector's, over them the program's, signed last."""
    passed = {name.lower(): (name, value) for name, value in defaults.items()}
    named: set[str] = set()
    encoding = "identity"
    for name, value in headers:
        lower = name.lower()
        if lower == "connection":
            named.update(word.strip().lower() for word in value.split(","))
        elif lower == "accept-encoding":
            encoding = value
        elif _goes_out(lower):
            passed[lower] = name, value
    for lower in named:
        passed.pop(lower, None)
    for lower in map(str.lower, signature):
        passed.pop(lower, None)
    return {**dict(passed.values()), "Accept-Encoding": encoding, **signature}


def headers_back(
    headers: Iterable[tuple[str, str]], *, asked: str, base: str, proxy: str
) -> list[tuple[str, str]]:
    """Return what comes back to the program of the answer to the address ``asked``.

    An address in the API that begins at ``base`` becomes one below ``proxy``; any other one
    is left out, and nobody is led away from here.
    """
    passed = []
    named: set[str] = set()
    for name, value in headers:
        lower = name.lower()
        if lower == "connection":
            named.update(word.strip().lower() for word in value.split(","))
        if not _comes_back(lower) or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            continue
        if lower in _ADDRESSES and not (value := _ours(value, asked, base, proxy)):
            continue
        passed.append((name, value))
    if named:
        passed = [(name, value) for name, value in passed if name.lower() not in named]
    return passed + _ALWAYS


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
def _goes_out(lower: str) -> bool:
    ours = lower in _OURS or lower in _BETWEEN_NEIGHBOURS
    return not ours and not lower.startswith(_OUR_BEGINNINGS)


@lru_cache(maxsize=1_000)
def _comes_back(lower: str) -> bool:
    ours = lower in _FOR_BROWSERS or lower in _BETWEEN_NEIGHBOURS
    return not ours and not lower.startswith(_THEIR_BEGINNINGS)


def _ours(value: str, asked: str, base: str, proxy: str) -> str:
    """Return the address on this console that stands for one of the service's API."""
    try:
        address = urljoin(asked, value.strip())
        within = is_within(base, address)
    except ValueError:
        return ""
    if not within or not address.startswith(f"{base}/"):
        return ""
    return proxy + address[len(base) :]
