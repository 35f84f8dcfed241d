"""A route: everything that nginx needs to make calls through one connection for one caller.

It is valid until the console would look at the key, the person or the connection again, so at
most a second. Calls that are not plain have no route; nginx passes them to the Python path.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from connections.calls.errors import CallRefused
from connections.calls.lookup import Caller
from connections.calls.prepared_call import (
    USABLE_SECONDS,
    VALID_SECONDS,
    PreparedCall,
    prepare_call,
)
from connections.calls.prepared_call import seconds_cached as call_seconds_cached
from connectors.api.request_urls import url_below
from connectors.errors import ServiceError
from connectors.http.http_client import validate_header
from connectors.http.ssrf import Destination
from connectors.http.transport import validated_addresses
from console.choices import Environment
from console.keys import authentication, user_tokens
from console.keys.authentication import KeyHolder, authenticate
from console.keys.errors import AuthenticationFailed
from console.keys.user_tokens import read_user
from console.short_cache import ShortCache

logger = logging.getLogger(__name__)

#: How long the validated addresses of a host are used for new connections.
ADDRESS_SECONDS = 10.0
#: nginx checks certificates for names, not for IP addresses.
_HOST_NAME = re.compile(r"(?=.*[a-z])[a-z0-9._-]*[a-z0-9]")
_IP_ADDRESS = re.compile(r"[0-9.]+|[0-9a-f:.]+")
_LINK_NAME = re.compile(r"[a-z0-9_-]{1,100}")

_addresses: ShortCache[Destination, list[tuple[str, int]]] = ShortCache(
    seconds=ADDRESS_SECONDS, max_size=2_000
)


class NotPlain(Exception):
    """This call needs the Python path."""


def route_for(key: str, user_token: str, link_name: str) -> dict[str, Any] | None:
    """Return the route of a caller to a connection, or ``None`` if there is none.

    The Python path then says why. It also counts wrong keys: the request that the key is read
    from here has no network address.
    """
    environ = {"HTTP_AUTHORIZATION": f"Bearer {key}", "HTTP_CONSOLE_USER": user_token}
    try:
        if not _LINK_NAME.fullmatch(link_name):
            raise NotPlain
        holder = authenticate(environ)
        user = read_user(environ, holder)
        caller = Caller(
            application=holder.application_id,
            organization=holder.organization_id,
            environment=Environment(holder.environment),
            user=user.pk if user else None,
        )
        prepared = prepare_call(caller, link_name)
        route = _route(prepared, holder)
    except (AuthenticationFailed, CallRefused, ServiceError, NotPlain):
        return None
    left = [authentication.seconds_cached(key), call_seconds_cached(prepared)]
    if user_token.strip():
        left.append(user_tokens.seconds_cached(user_token.strip(), holder))
    return route | {"valid_seconds": min(VALID_SECONDS, *left)}


def _route(prepared: PreparedCall, holder: KeyHolder) -> dict[str, Any]:
    connector, destination = prepared.connector, prepared.destination
    _check_is_plain(prepared)
    addresses = _addresses.get(
        destination, partial(validated_addresses, destination, service=connector.name)
    )
    if any("%" in ip for ip, _ in addresses):
        raise NotPlain
    return {
        "addresses": [[f"[{ip}]" if ":" in ip else ip, port] for ip, port in addresses],
        "scheme": destination.scheme,
        "host": destination.host,
        "authority": destination.authority,
        "base": prepared.base,
        "proxy_url": f"{settings.PUBLIC_URL}/api/v1/connections/"
        f"{prepared.state.snapshot.link_name}/proxy",
        "headers": prepared.headers,
        "signature": prepared.signed.headers,
        "query": urlencode(prepared.signed.params),
        "parameters": sorted(name.lower() for name in prepared.signed.params),
        "needles": _shortest(prepared.redactor.needles),
        # Connections are shared by calls with the same credential to the same place only.
        "pool": f"{prepared.credential.pk} {destination.scheme} {destination.authority}",
        "key": str(holder.key_id),
        "log": {
            "base_path": prepared.base_path,
            "organization_id": str(holder.organization_id),
            "application_id": str(holder.application_id),
            "connection_id": str(prepared.state.connection),
            "connector": connector.slug,
            "environment": str(holder.environment),
            "user_id": str(prepared.caller.user) if prepared.caller.user else None,
            "key_prefix": holder.prefix,
            "host": prepared.host,
        },
    }


def _check_is_plain(prepared: PreparedCall) -> None:
    """Raise :class:`NotPlain` or ``ServiceForbidden`` if only Python can make such calls."""
    connector, destination, signed = prepared.connector, prepared.destination, prepared.signed
    if connector.api_cookies or set(connector.check.refused_statuses) - {401}:
        raise NotPlain
    end = prepared.credential.expires_at or prepared.credential.ends_at
    if end is not None and end.timestamp() - time.time() <= USABLE_SECONDS:
        raise NotPlain
    host = destination.host
    if destination.scheme == "https" and (
        not _HOST_NAME.fullmatch(host) or _IP_ADDRESS.fullmatch(host)
    ):
        raise NotPlain
    url_below(prepared.base, "", service=connector.name)
    headers: Mapping[str, str] = {**prepared.headers, **signed.headers}
    for name, value in headers.items():
        validate_header(name, value, connector.name)
        if "_" in name:  # nginx would write a hyphen
            raise NotPlain
    _check_is_ascii([prepared.base, *headers.values(), *prepared.redactor.needles])


def _shortest(needles: Iterable[str]) -> list[str]:
    """Leave out the needles that contain another one."""
    kept: list[str] = []
    for needle in sorted(needles, key=len):
        if not any(each in needle for each in kept):
            kept.append(needle)
    return kept


def _check_is_ascii(texts: Iterable[str]) -> None:
    if not all(text.isascii() for text in texts):
        raise NotPlain
