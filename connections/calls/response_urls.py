"""Addresses in the headers of an answer, as a program can follow them through the console.

One in the service's API becomes one on the console, so that the next call is signed, too; one
anywhere else becomes absolute, since the program would resolve it against the console.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from connectors.api.request_urls import leads_out
from connectors.definitions.templates import origin

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
#: What may stand in an address as it is; parsers disagree about blanks, backslashes and bytes.
_PLAIN = "".join(map(chr, range(0x21, 0x7F))).replace("\\", "")
#: The targets of links; what is quoted is a parameter, whatever it holds (RFC 8288 section 3).
_QUOTED_OR_TARGET = re.compile(r'"(?:[^"\\]|\\.)*"|<([^<>"]*)>')


@dataclass(frozen=True, kw_only=True)
class ApiAddresses:
    """The API that begins at ``base``, at ``proxy`` on this console; ``asked`` was the call."""

    base: str
    proxy: str
    asked: str

    def of(self, reference: str) -> str:
        """Return what a program follows in the place of a reference (RFC 3986 section 4.1)."""
        plain = quote(reference.strip().encode("latin-1"), safe=_PLAIN)
        try:
            address = plain if _ABSOLUTE.match(plain) else urljoin(self.asked, plain)
            tail = self._tail(address)
        except ValueError:
            return reference
        if tail is not None:
            return self.proxy + tail
        return reference if address is plain else address

    def link(self, value: str) -> str:
        """Return a ``Link`` header whose targets a program can follow (RFC 8288)."""

        def replaced(found: re.Match[str]) -> str:
            return found[0] if found[1] is None else f"<{self.of(found[1])}>"

        return _QUOTED_OR_TARGET.sub(replaced, value)

    def _tail(self, address: str) -> str | None:
        """Return what of an address follows the API's own, or nothing if it lies elsewhere."""
        parts, own = urlsplit(address), urlsplit(self.base)
        if "@" in parts.netloc or origin(address) != origin(self.base):
            return None
        path = parts.path.removeprefix(own.path)
        if path and not path.startswith("/"):
            return None
        if not parts.path.startswith(own.path) or leads_out(path):
            return None
        return path + address[_end_of_path(address) :]


def _end_of_path(address: str) -> int:
    found = re.search(r"[?#]", address)
    return found.start() if found else len(address)
