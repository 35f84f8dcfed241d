"""Normalize parameters that people type in, such as a whole URL in place of a host.

Unambiguous input becomes the value that the definition asks for; anything else gets an error
message. The parameter's pattern is checked afterwards.
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
    """The input is not valid; the message says why, and what to enter."""


def normalized(
    text: str, parameter: Parameter, connector: Connector, given: Mapping[str, str]
) -> str:
    """Return the normalized value; raise :class:`NotAParameter`.

    ``given`` are the other parameters; one of them may be the scheme.
    """
    text = "".join(c for c in text if unicodedata.category(c) != "Cf").strip()
    if parameter.choices:
        pass
    elif parameter.is_host:
        text = _host(text, parameter, connector, given)
    else:
        text = next(filter(parameter.accepts, _interpretations(text, parameter, connector)), text)
    if not parameter.accepts(text):
        raise NotAParameter(_not_in_form(parameter))
    return text


def typed_host(text: str, connector: Connector) -> str:
    """Return the normalized host that an OAuth client is registered for.

    The scheme is a parameter of each connection.
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
    return f"{parameter.label} does not have the format that the service uses.{example}"


def _interpretations(text: str, parameter: Parameter, connector: Connector) -> Iterator[str]:
    """Yield the input, its lower-case form, and the parts of it that may be meant."""
    yield text
    yield text.lower()
    _, authority, _ = _parts(text.lower())
    yield authority
    for domain in _domains_after(parameter, connector):
        if authority.endswith(domain):
            yield authority.removesuffix(domain)


def _parts(text: str) -> tuple[str, str, str]:
    """Split text that may be a URL into scheme, host and rest."""
    scheme, separator, after = text.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        scheme, after = "", text
    authority = re.split(r"[/?#\\]", after, maxsplit=1)[0]
    return scheme, authority, after[len(authority) :]


def _domains_after(parameter: Parameter, connector: Connector) -> list[str]:
    """Return the domains that follow the parameter in the connector's URLs: ``.example.com``."""
    oauth2 = connector.oauth2
    templates = [connector.api_base_url, connector.check.url]
    if oauth2:
        templates += [oauth2.authorization_endpoint, oauth2.token_endpoint]
    slot = re.escape("{" + parameter.name + "}")
    found = (re.match(rf"https?://{slot}((?:\.[a-z0-9-]+)+)", each) for each in templates)
    return [match[1] for match in found if match]


def _host(text: str, parameter: Parameter, connector: Connector, given: Mapping[str, str]) -> str:
    """Return host and port in lower-case ASCII (RFC 3986 section 6.2.2.1, UTS 46)."""
    scheme, authority, rest = _parts(text)
    label = parameter.label
    if scheme:
        _compare_scheme(scheme.lower(), parameter, connector, given)
    if "@" in authority:
        raise NotAParameter(f"{label}: leave out the part before the @.")
    if rest not in ("", "/"):
        raise NotAParameter(
            f"{label}: leave out “{rest[:60]}”. Enter only the host name, with its port if it "
            "has one."
        )
    if authority.startswith("[") or authority.count(":") > 1:
        raise NotAParameter(
            f"{label}: an IPv6 address cannot be used here. Enter a name, or an IPv4 address."
        )
    name, colon, port = authority.partition(":")
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
    """Raise :class:`NotAParameter` if the typed scheme is not the one that will be used."""
    choice = _scheme_parameter(connector)
    if choice:
        used = given.get(choice.name) or choice.default
    else:
        used = urlsplit(connector.api_base_url).scheme
    if typed == used:
        return
    if choice and typed in choice.choices:
        raise NotAParameter(
            f"{parameter.label} begins with {typed}://, and {choice.label} is {used}. Choose "
            f"{typed} there, or leave {typed}:// out here."
        )
    raise NotAParameter(
        f"{parameter.label}: leave {typed}:// out. {connector.name} uses {used} only."
    )


def _scheme_parameter(connector: Connector) -> Parameter | None:
    """Return the parameter that selects https or http, if there is one."""
    slot = re.match(r"\{(\w+)\}://", connector.api_base_url)
    return next((p for p in connector.parameters if slot and p.name == slot[1]), None)
