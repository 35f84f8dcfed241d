"""Cookies of a service whose definition says that its API needs them (``api_cookies``).

They pass between the program and the service. On this console they are confined to the
address of the connection, so that no program sends them, and none of the console's own,
anywhere else (RFC 6265).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from connections.calls.response_urls import ApiAddresses


def sent(value: str) -> str:
    """Return a ``Cookie`` header without the console's own cookies."""
    own = {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    pairs = (pair.strip() for pair in value.split(";"))
    return "; ".join(pair for pair in pairs if pair and pair.partition("=")[0].strip() not in own)


def set_below(value: str, addresses: ApiAddresses) -> str:
    """Return a ``Set-Cookie`` header for the connection's address, nothing if it is for elsewhere.

    ``Domain`` is left out, and ``Path`` becomes the same place below the proxy.
    """
    pair, *attributes = value.split(";")
    name = pair.partition("=")[0].strip()
    if name in {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}:
        return ""
    kept = [pair]
    for attribute in attributes:
        key, _, given = attribute.partition("=")
        if key.strip().lower() == "path" and given.strip().startswith("/"):
            path = _path_below(given.strip(), addresses)
            if not path:
                return ""
            kept.append(f" Path={path}")
        elif key.strip().lower() not in {"domain", "path"}:
            kept.append(attribute)
    return ";".join(kept)


def _path_below(path: str, addresses: ApiAddresses) -> str:
    """Return the path on the console for a cookie's, nothing where it lies beside the API."""
    api, proxy = urlsplit(addresses.base).path, urlsplit(addresses.proxy).path
    if f"{api}/".startswith(f"{path.rstrip('/')}/"):
        return proxy
    return proxy + path[len(api) :] if path.startswith(f"{api}/") else ""
