"""The response of a proxied call, as it comes back to the program: headers, URLs and cookies.

What a browser or a reverse proxy would obey as if the console had said it is dropped. URLs in
the service's API become URLs on the console, so that the next call is signed, too; relative
URLs elsewhere become absolute, as the program would resolve them against the console. Cookies
are confined to the connection's URL (RFC 6265). The developer guide publishes these lists, and
a test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote, unquote_plus, urljoin, urlsplit

from django.conf import settings

from connections.calls.proxy_request import (
    COOKIE,
    DROPPED,
    FOR_SERVERS,
    HOP_BY_HOP,
    PASSED,
    REPLACED,
    header_list,
    matches,
)
from connectors.api.request_urls import leaves_api
from connectors.definitions.templates import origin
from console.encryption.redaction import Redactor

#: The console's own server sets these.
REPLACED_IN_RESPONSE = frozenset({"date", "server", "x-content-type-options"})
#: What a browser would obey as if the console had sent it.
DROPPED_IN_RESPONSE = frozenset(
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
#: Their values are URLs.
URL_HEADERS = frozenset({"location", "content-location", "operation-location"}) | {
    "azure-asyncoperation"
}
LINK_HEADERS = frozenset({"link"})
#: Added to every response. Caches must not serve it for another key or person.
ADDED = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Vary", "Authorization, Console-User"),
]
#: Names, without values, the response headers that were dropped.
DROPPED_RESPONSE_HEADER = "Console-Dropped-Response"

_URL, _LINK = "url", "link"
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
#: Characters that a URL may contain; parsers disagree about spaces, backslashes and bytes.
_URL_CHARACTERS = "".join(map(chr, range(0x21, 0x7F))).replace("\\", "")
#: The targets of links; quoted text is a parameter, whatever it contains (RFC 8288 section 3).
_QUOTED_OR_TARGET = re.compile(r'"(?:[^"\\]|\\.)*"|<([^<>"]*)>')


@dataclass(frozen=True, kw_only=True)
class UrlRewriter:
    """Rewrites URLs of the API at ``base`` to ``proxy_url`` on this console.

    ``requested`` is the URL of the call, which relative URLs refer to.
    """

    base: str
    proxy_url: str
    requested: str

    def rewrite(self, reference: str) -> str:
        """Return the URL that a program follows instead of a reference (RFC 3986 section 4.1)."""
        plain = quote(reference.strip().encode("latin-1"), safe=_URL_CHARACTERS)
        try:
            url = plain if _ABSOLUTE.match(plain) else urljoin(self.requested, plain)
            below_base = self._below_base(url)
        except ValueError:
            return reference
        if below_base is not None:
            return self.proxy_url + below_base
        return reference if url is plain else url

    def rewrite_links(self, value: str) -> str:
        """Return a ``Link`` header with rewritten targets (RFC 8288)."""

        def rewritten(match: re.Match[str]) -> str:
            return match[0] if match[1] is None else f"<{self.rewrite(match[1])}>"

        return _QUOTED_OR_TARGET.sub(rewritten, value)

    def rewrite_cookie(self, value: str) -> str:
        """Return a ``Set-Cookie`` header for the connection's URL, empty if it does not apply.

        ``Domain`` is removed, and ``Path`` becomes the same path below the proxy.
        """
        pair, *attributes = value.split(";")
        if pair.partition("=")[0].strip() in {
            settings.SESSION_COOKIE_NAME,
            settings.CSRF_COOKIE_NAME,
        }:
            return ""
        kept = [pair]
        for attribute in attributes:
            name, _, setting = attribute.partition("=")
            if name.strip().lower() == "path" and setting.strip().startswith("/"):
                path = self._cookie_path(setting.strip())
                if not path:
                    return ""
                kept.append(f" Path={path}")
            elif name.strip().lower() not in {"domain", "path"}:
                kept.append(attribute)
        return ";".join(kept)

    def _cookie_path(self, path: str) -> str:
        """Return a cookie's path on the console, empty where it is not in the API."""
        api, proxy = urlsplit(self.base).path, urlsplit(self.proxy_url).path
        if f"{api}/".startswith(f"{path.rstrip('/')}/"):
            return proxy
        return proxy + path[len(api) :] if path.startswith(f"{api}/") else ""

    def _below_base(self, url: str) -> str | None:
        """Return what follows the API's base in a URL, or ``None`` if it is elsewhere."""
        parts, own = urlsplit(url), urlsplit(self.base)
        if "@" in parts.netloc or origin(url) != origin(self.base):
            return None
        path = parts.path.removeprefix(own.path)
        if path and not path.startswith("/"):
            return None
        if not parts.path.startswith(own.path) or leaves_api(path):
            return None
        query = re.search(r"[?#]", url)
        return path + (url[query.start() :] if query else "")


def response_headers(
    headers: Iterable[tuple[str, str]],
    urls: UrlRewriter,
    redactor: Redactor,
    *,
    pass_cookies: bool = False,
) -> list[tuple[str, str]]:
    """Return the headers for the program; those that contain the credential are dropped.

    The last header names the dropped ones.
    """
    passed: list[tuple[str, str]] = []
    connection_options: set[str] = set()
    dropped: list[str] = []
    for name, value in headers:
        lower = name.lower()
        handling = _handling(lower)
        if handling is REPLACED:
            if lower == "connection":
                connection_options.update(word.strip().lower() for word in value.split(","))
            continue
        if not _NAME.fullmatch(name):
            continue
        if not _VALUE.fullmatch(value):
            handling = DROPPED
        elif handling is COOKIE:
            value = urls.rewrite_cookie(value) if pass_cookies else ""
            handling = PASSED if value else DROPPED
        elif handling is _URL or handling is _LINK:
            decoded = _decoded(value)
            value = urls.rewrite_links(value) if handling is _LINK else urls.rewrite(value)
            handling = DROPPED if redactor.finds(decoded) else PASSED
        if handling is DROPPED:
            dropped.append(name)
        else:
            passed.append((name, value))
    if redactor.finds("\n".join([value for _, value in passed])):
        dropped += [name for name, value in passed if redactor.finds(value)]
        passed = [(name, value) for name, value in passed if not redactor.finds(value)]
    if connection_options:
        passed = [(name, value) for name, value in passed if name.lower() not in connection_options]
    passed += ADDED
    if dropped:
        passed.append((DROPPED_RESPONSE_HEADER, header_list(dropped)))
    return passed


@lru_cache(maxsize=1_000)
def _handling(lower: str) -> str:
    if matches(HOP_BY_HOP | REPLACED_IN_RESPONSE, lower):
        return REPLACED
    if lower == "set-cookie":
        return COOKIE
    if lower in URL_HEADERS:
        return _URL
    if lower in LINK_HEADERS:
        return _LINK
    return DROPPED if matches(DROPPED_IN_RESPONSE | FOR_SERVERS, lower) else PASSED


def _decoded(value: str) -> str:
    """Return a URL as it is written and as each reader could decode it."""
    return "\n".join((value, unquote(value), unquote_plus(value), unquote(unquote(value))))
