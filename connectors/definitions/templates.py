"""Templates with ``{name}`` slots, and how they are filled safely.

``str.format`` is not used, because ``{x.__class__}`` would access attributes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from connectors.errors import ServiceForbidden

_SLOT = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")
#: A whole base URL in one value (`https://na1.example.com`), with or without a path.
_BASE = re.compile(r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~\-]+)*/?", re.ASCII)
_HOST_PART = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.\-]*[A-Za-z0-9])?(:[0-9]{1,5})?", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def slots(template: str) -> set[str]:
    """Return the names of the slots of a template."""
    return set(_SLOT.findall(template))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Fill the slots with unchanged values; raise ``ServiceForbidden`` if one is missing."""
    return _SLOT.sub(lambda slot: _value(slot[1], values), template)


def fill_url(template: str, values: Mapping[str, str]) -> str:
    """Fill the template of a URL so that no value can change other parts of it.

    A value at the beginning must be a scheme or a base URL; one in the host may contain only
    characters of a host; one in the path or query is percent-encoded (RFC 3986 section 2.1). Raise
    ``ServiceForbidden`` for anything else.
    """
    built = ""
    end = 0
    for slot in _SLOT.finditer(template):
        built += template[end : slot.start()]
        built += _value_in_url(
            slot[1], _value(slot[1], values), after=built, before=template[slot.end() :]
        )
        end = slot.end()
        if built.endswith("/") and template[end : end + 1] == "/":
            built = built[:-1]
    return built + template[end:]


def origin(url: str) -> str:
    """Return the normalized origin of a URL (RFC 6454 section 6)."""
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    port = parts.port or _DEFAULT_PORTS.get(scheme)
    return f"{scheme}://{host}" + ("" if port == _DEFAULT_PORTS.get(scheme) else f":{port}")


def _value(name: str, values: Mapping[str, str]) -> str:
    if not (value := values.get(name, "")):
        raise ServiceForbidden(f"The request needs a value for “{name}”, but there is none.")
    return value


def _value_in_url(name: str, value: str, *, after: str, before: str) -> str:
    scheme, _, rest = after.partition("://")
    if not after and before.startswith("://"):
        fits = value in _DEFAULT_PORTS
    elif not after:
        fits = _BASE.fullmatch(value) is not None
    elif not re.search(r"[/?#]", rest):
        fits = scheme in _DEFAULT_PORTS and _HOST_PART.fullmatch(value) is not None
    else:
        # A dot segment would leave the path.
        fits = value not in {".", ".."}
        value = quote(value, safe="")
    if not fits:
        raise ServiceForbidden(
            f"The value for “{name}” does not fit into the service's URL, so nothing was sent."
        )
    return value
