"""A parameter as people type it: a host with ``https://`` before it, a whole address of a page.

What is unambiguous becomes the value that the definition asks for; of the rest it is said what
is wrong. Whether a value may be used decides its pattern, after all this, as before.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import idna

from connectors.definitions.schema import Connector, Parameter

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")


class NotAParameter(ValueError):
    """What was typed cannot be the value; the message says why, and what to type."""


def normalized(
    text: str, parameter: Parameter, connector: Connector, given: Mapping[str, str]
) -> str:
    """Return the value that somebody meant; raise :class:`NotAParameter`.

    ``given`` are the parameters beside it: one of them may be the scheme.
    """
    text = "".join(c for c in text if unicodedata.category(c) != "Cf").strip()
    if parameter.choices:
        pass
    elif parameter.is_host:
        text = _host(text, parameter, connector, given)
    else:
        text = next(filter(parameter.accepts, _readings(text, parameter, connector)), text)
    if not parameter.accepts(text):
        raise NotAParameter(_not_in_form(parameter))
    return text


def typed_host(text: str, connector: Connector) -> str:
    """Return the host of one's own that an OAuth client is for, as a connection keeps it.

    By which scheme it is called each connection says itself.
    """
    parameter = next((p for p in connector.parameters if p.is_host), None)
    if parameter is None:
        raise NotAParameter(f"{connector.name} has no host of your own.")
    scheme = _scheme_parameter(connector)
    typed, _, _ = text.strip().lower().partition("://")
    given = {scheme.name: typed} if scheme and typed in scheme.choices else {}
    return normalized(text, parameter, connector, given)


def _not_in_form(parameter: Parameter) -> str:
    example = f" Example: {parameter.example}" if parameter.example else ""
    return f"{parameter.label} is not in the form that the service uses.{example}"


def _readings(text: str, parameter: Parameter, connector: Connector) -> Iterator[str]:
    """Give what was typed, in lower case, and what of an address it may have been."""
    yield text
    yield text.lower()
    _, place, _ = _parts(text.lower())
    yield place
    for domain in _domains_after(parameter, connector):
        if place.endswith(domain):
            yield place.removesuffix(domain)


def _parts(text: str) -> tuple[str, str, str]:
    """Split what may be a whole address: its scheme, whom it leads to, and the rest."""
    scheme, separator, after = text.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        scheme, after = "", text
    place = re.split(r"[/?#\\]", after, maxsplit=1)[0]
    return scheme, place, after[len(place) :]


def _domains_after(parameter: Parameter, connector: Connector) -> list[str]:
    """List what the connector writes after the parameter in its hosts, such as `.example.com`."""
    oauth2 = connector.oauth2
    templates = [connector.api_base_url, connector.check.url]
    if oauth2:
        templates += [oauth2.authorization_endpoint, oauth2.token_endpoint]
    slot = re.escape("{" + parameter.name + "}")
    found = (re.match(rf"https?://{slot}((?:\.[a-z0-9-]+)+)", each) for each in templates)
    return [match[1] for match in found if match]


def _host(text: str, parameter: Parameter, connector: Connector, given: Mapping[str, str]) -> str:
    """Return host and port in lower-case ASCII (RFC 3986 section 6.2.2.1, UTS 46)."""
    scheme, place, rest = _parts(text)
    label = parameter.label
    if scheme:
        _compare_scheme(scheme.lower(), parameter, connector, given)
    if "@" in place:
        raise NotAParameter(f"{label}: leave out what stands before the @.")
    if rest not in ("", "/"):
        raise NotAParameter(
            f"{label}: leave out “{rest[:60]}”. Only the name, with its port where it has one, "
            "belongs here."
        )
    if place.startswith("[") or place.count(":") > 1:
        raise NotAParameter(
            f"{label}: an IPv6 address cannot be used here. Enter a name, or an IPv4 address."
        )
    name, colon, port = place.partition(":")
    if colon and not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65536):
        raise NotAParameter(f"{label}: “{port[:20]}” is not a port. Ports are 1 to 65535.")
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise NotAParameter(_not_in_form(parameter)) from None
    name = name.lower().removesuffix(".")
    return f"{name}:{int(port)}" if colon else name


def _compare_scheme(
    typed: str, parameter: Parameter, connector: Connector, given: Mapping[str, str]
) -> None:
    """Refuse a scheme before the host that is not the one by which it will be called."""
    asked = _scheme_parameter(connector)
    used = (
        given.get(asked.name) or asked.default if asked else urlsplit(connector.api_base_url).scheme
    )
    if typed == used:
        return
    if asked and typed in asked.choices:
        raise NotAParameter(
            f"{parameter.label} begins with {typed}://, and {asked.label} is {used}. Choose "
            f"{typed} there, or leave {typed}:// out here."
        )
    raise NotAParameter(
        f"{parameter.label}: leave {typed}:// out. {connector.name} is called by {used} only."
    )


def _scheme_parameter(connector: Connector) -> Parameter | None:
    """Return the parameter that chooses between https and http, where there is one."""
    slot = re.match(r"\{(\w+)\}://", connector.api_base_url)
    return next((p for p in connector.parameters if slot and p.name == slot[1]), None)
