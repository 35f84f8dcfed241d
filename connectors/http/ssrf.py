"""Judge addresses: which ones the console may call at all (OWASP, SSRF prevention).

The spelling of a URL is judged before anything is sent, and every network address that
its name leads to is judged again where the connection is made (``http_client.py``).
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
#: What may follow the host in a call of a program. Services take 8,000 bytes and more
#: (RFC 9110 section 4.1), and say by 414 what is too long for them.
MAX_TARGET_LENGTH = 32_000
#: Printable ASCII without the characters on which parsers of addresses disagree.
_PLAIN = re.compile(r"[!\"$-\[\]-~]+")
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
#: The ways in which `getaddrinfo` reads numbers as an address: `127.1`, `0x7f.1`, `017700000001`.
_NUMERIC_END = re.compile(r"(^|\.)(\d+|0x[0-9a-f]*)\.?$")

#: Above 1023, where services do live, these speak something else than HTTP.
_OTHER_PROTOCOLS = frozenset(
    {
        1080, 1433, 1434, 1521, 1883, 2049, 2181, 2375, 2376, 2379, 2380, 3128, 3306, 3389, 4369,
        5060, 5061, 5432, 5433, 5671, 5672, 5900, 6000, 6379, 6380, 6432, 6665, 6666, 6667, 6668,
        6669, 6697, 8883, 9042, 9092, 9300, 10250, 11211, 25672, 26257, 27017, 27018,
    }
)  # fmt: skip

#: No host is named: a client's people need not know what a developer or a name led to.
_CAN_ALLOW = "the operator of the console lists in ALLOWED_PRIVATE_HOSTS, with their ports"

_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ip_network("2002::/16")
#: What the standard library takes for public, or did in some release, and is not.
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
    """Where calls may lead, judged: only :func:`parse_destination` makes these.

    ``authority`` is what the header ``Host`` says.
    """

    scheme: str
    host: str
    port: int
    authority: str

    def target_of(self, url: str, *, service: str) -> str:
        """Return what of an address at this place stands in the first line of a request.

        Raise ``ServiceForbidden`` for what no line can hold.
        """
        target = url[len(self.scheme) + len("://") + len(self.authority) :] or "/"
        if len(target) > MAX_TARGET_LENGTH or not _PLAIN.fullmatch(target):
            raise _malformed(service)
        return target


def parse_destination(url: str, *, service: str) -> Destination:
    """Return where an address leads, or raise as :func:`validate_url` does."""
    parts = validate_url(url, service=service)
    return Destination(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port or (443 if parts.scheme == "https" else 80),
        authority=parts.netloc,
    )


def validate_url(url: str, *, service: str) -> SplitResult:
    """Return the parts of an address that may be called, or raise ``ServiceForbidden``.

    Only https to a public name or address and a port where HTTP may live; what stands in
    ``ALLOWED_PRIVATE_HOSTS`` may have any port and speak http.
    """
    parts, host, port = _parts(url, service)
    if is_allowed_private(host, port):
        return parts
    if parts.scheme != "https":
        raise ServiceForbidden(
            f"{service}'s address does not begin with https://, so nothing was sent. Use https. "
            f"Plain http is for hosts that {_CAN_ALLOW}."
        )
    if port != 443 and (port < 1024 or port in _OTHER_PROTOCOLS):
        raise ServiceForbidden(
            f"{service}'s address names port {port}, which this console never calls, but at hosts "
            f"that {_CAN_ALLOW}."
        )
    if _is_literal(host) and not is_public(host):
        raise private(service)
    return parts


def private(service: str) -> ServiceForbidden:
    """Say that an address leads into a private network."""
    return ServiceForbidden(
        f"{service}'s address leads into a private network, which this console does not call. "
        "The operator of the console can allow it: list its host and port in "
        "ALLOWED_PRIVATE_HOSTS."
    )


def is_allowed_private(host: str, port: int) -> bool:
    """Tell whether the operator lets the console call this host although it is private."""
    written = (f"[{host}]" if ":" in host else host).lower() + f":{port}"
    return written in {allowed.lower() for allowed in settings.ALLOWED_PRIVATE_HOSTS}


def is_public(address: str) -> bool:
    """Tell whether a network address belongs to the public internet.

    ``ipaddress.is_global`` alone does not: it takes multicast, NAT64 of loopback and the
    hosts of clouds for global. An IPv4 address inside an IPv6 one is judged as such.
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


def _is_literal(host: str) -> bool:
    return ":" in host or _NUMERIC_END.search(host) is not None


def _parts(url: str, service: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _malformed(service) from None
    plain = len(url) <= _MAX_LENGTH and _PLAIN.fullmatch(url)
    # A percent or an @ before the path hides the host from one parser or the other.
    if not plain or parts.scheme not in {"http", "https"} or re.search("[@%]", parts.netloc):
        raise _malformed(service)
    if not (_is_address(host) if _is_literal(host) else _NAME.fullmatch(host)):
        raise _malformed(service)
    if port == 0 or parts.netloc.endswith(":") or len(host) > 253:
        raise _malformed(service)
    return parts, host, port or (443 if parts.scheme == "https" else 80)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _malformed(service: str) -> ServiceForbidden:
    return ServiceForbidden(
        f"{service}'s address is not one that this console can call, so nothing was sent."
    )
