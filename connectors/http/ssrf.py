"""Validate the URLs and IP addresses that the console may call (OWASP, SSRF prevention).

A URL is validated before anything is sent. The IP addresses of its host are validated again when
the connection is made (``transport.py``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from connectors.errors import ServiceForbidden

#: Room for a key of 8,192 characters in the query.
_MAX_LENGTH = 16_000
#: The longest path and query of a proxied call. Services accept 8,000 bytes and more (RFC 9110
#: section 4.1), and answer with 414 if it is too long for them.
MAX_TARGET_LENGTH = 32_000
#: Printable ASCII without the characters on which URL parsers disagree.
_URL_CHARACTERS = re.compile(r"[!\"$-\[\]-~]+")
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
#: The ways in which `getaddrinfo` reads numbers as an address: `127.1`, `0x7f.1`, `017700000001`.
_NUMERIC_END = re.compile(r"(^|\.)(\d+|0x[0-9a-f]*)\.?$")

#: Ports above 1023 that are used by other protocols than HTTP.
_OTHER_PROTOCOLS = frozenset(
    {
        1080, 1433, 1434, 1521, 1883, 2049, 2181, 2375, 2376, 2379, 2380, 3128, 3306, 3389, 4369,
        5060, 5061, 5432, 5433, 5671, 5672, 5900, 6000, 6379, 6380, 6432, 6665, 6666, 6667, 6668,
        6669, 6697, 8883, 9042, 9092, 9300, 10250, 11211, 25672, 26257, 27017, 27018,
    }
)  # fmt: skip

#: Messages do not name the host: people of a client should not learn about internal hosts.
_CAN_ALLOW = "the operator of the console lists in ALLOWED_PRIVATE_HOSTS, with their ports"

_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ip_network("2002::/16")
#: Networks that some release of the standard library counts as public although they are not.
_DENIED = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "100.64.0.0/10",  # shared by a carrier's customers, RFC 6598
            "168.63.129.16/32",  # the host beneath a machine at Azure
            "192.0.0.0/24",
            "192.88.99.0/24",  # 6to4 relays, RFC 7526
            "198.18.0.0/15",
            "2001::/23",  # Teredo and other protocol assignments, RFC 2928
            "2001:db8::/32",
            "3fff::/20",  # documentation, RFC 9637
        ),
    )
)


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A validated host and port; only :func:`parse_destination` creates these.

    ``authority`` is the value of the ``Host`` header.
    """

    scheme: str
    host: str
    port: int
    authority: str

    def target_of(self, url: str, *, service: str) -> str:
        """Return the request target (RFC 9112 section 3.2) of a URL at this destination.

        Raise ``ServiceForbidden`` if it is too long or has characters that cannot be sent.
        """
        target = url[len(self.scheme) + len("://") + len(self.authority) :] or "/"
        if len(target) > MAX_TARGET_LENGTH or not _URL_CHARACTERS.fullmatch(target):
            raise _invalid_url_error(service)
        return target


def parse_destination(url: str, *, service: str) -> Destination:
    """Validate a URL and return its destination; raise as :func:`validate_url` does."""
    parts = validate_url(url, service=service)
    return Destination(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port or (443 if parts.scheme == "https" else 80),
        authority=parts.netloc,
    )


def validate_url(url: str, *, service: str) -> SplitResult:
    """Return the parts of a URL that the console may call; raise ``ServiceForbidden``.

    The URL must use https, a public host, and a port that is used for HTTP. Hosts listed in
    ``ALLOWED_PRIVATE_HOSTS`` may use http and any port.
    """
    parts, host, port = _parts(url, service)
    if is_allowed_private(host, port):
        return parts
    if parts.scheme != "https":
        raise ServiceForbidden(
            f"{service}'s URL does not begin with https://, so nothing was sent. Use https. "
            f"Plain http is allowed only for hosts that {_CAN_ALLOW}."
        )
    if port != 443 and (port < 1024 or port in _OTHER_PROTOCOLS):
        raise ServiceForbidden(
            f"{service}'s URL uses port {port}, which this console calls only for hosts that "
            f"{_CAN_ALLOW}."
        )
    if _is_ip_literal(host) and not is_public(host):
        raise private_address_error(service)
    return parts


def private_address_error(service: str) -> ServiceForbidden:
    """Return the error for an address in a private network."""
    return ServiceForbidden(
        f"{service}'s URL leads to a private network, which this console does not call. "
        "The operator of the console can allow it: list its host and port in "
        "ALLOWED_PRIVATE_HOSTS."
    )


def is_allowed_private(host: str, port: int) -> bool:
    """Return whether the operator allows this private host and port."""
    entry = (f"[{host}]" if ":" in host else host).lower() + f":{port}"
    return entry in {allowed.lower() for allowed in settings.ALLOWED_PRIVATE_HOSTS}


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to the public internet.

    ``ipaddress.is_global`` is not enough: it is true for multicast, NAT64 of loopback, and the
    hosts of clouds. An IPv4 address inside an IPv6 address is checked as IPv4.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if (inner := _embedded(ip)) is not None:
            return is_public(str(inner))
        if ip.scope_id is not None or ip not in _GLOBAL_UNICAST:
            return False
    return (
        ip.is_global
        and not (ip.is_multicast or ip.is_reserved or ip.is_private)
        and not any(ip in network for network in _DENIED)
    )


def _embedded(ip: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address inside: mapped, NAT64 (RFC 6052) or 6to4 (RFC 3056)."""
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _SIX_TO_FOUR:
        return ip.sixtofour
    return None


def _is_ip_literal(host: str) -> bool:
    return ":" in host or _NUMERIC_END.search(host) is not None


def _parts(url: str, service: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _invalid_url_error(service) from None
    is_plain = len(url) <= _MAX_LENGTH and _URL_CHARACTERS.fullmatch(url)
    # A percent or an @ before the path hides the host from one parser or the other.
    if not is_plain or parts.scheme not in {"http", "https"} or re.search("[@%]", parts.netloc):
        raise _invalid_url_error(service)
    if not (_is_ip_address(host) if _is_ip_literal(host) else _NAME.fullmatch(host)):
        raise _invalid_url_error(service)
    if port == 0 or parts.netloc.endswith(":") or len(host) > 253:
        raise _invalid_url_error(service)
    return parts, host, port or (443 if parts.scheme == "https" else 80)


def _is_ip_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _invalid_url_error(service: str) -> ServiceForbidden:
    return ServiceForbidden(f"{service}'s URL is not valid, so nothing was sent.")
