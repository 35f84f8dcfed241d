"""Validation rules for the URLs and headers of definitions: no value may lead to another host.

Each function yields ``(dotted key, message)`` for each fault, as in ``rules.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from connectors.definitions.patterns import pins_domain, pins_origin, stays_in_host
from connectors.definitions.schema import (
    Connector,
    CredentialField,
    KeptField,
    OAuth2Auth,
    Parameter,
)
from connectors.definitions.templates import slots

Found = Iterator[tuple[str, str]]
Holders = Mapping[str, Parameter | KeptField | CredentialField]

_SLOT = re.compile(r"\{(\w+)\}")
_ADDRESS = re.compile(
    r"(?:(?P<scheme>https?|\{\w+\})://(?P<host>[^/?#]+)|\{(?P<origin>\w+)\})(?:[/?#].*)?"
)
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?")


def faults_of_addresses(connector: Connector) -> Found:
    parameters: Holders = {p.name: p for p in connector.parameters}
    authorized: Holders = {**parameters, **_known_once_authorized(connector)}
    sandbox = connector.sandbox
    yield from _template("api_base_url", connector.api_base_url, authorized, sandbox)
    if connector.check.url:
        yield from _template("check.url", connector.check.url, authorized, sandbox)
    yield from faults_of_slots("check.path", connector.check.path, authorized)
    # An API key has no OAuth client, so its requests cannot contain a client ID.
    client = ["client_id"] if connector.auth_types == ("oauth2",) else []
    for table, headers in (
        ("api_headers", connector.api_headers),
        ("check.headers", connector.check.headers),
    ):
        for name, template in headers.items():
            yield from faults_of_slots(f"{table}.{name}", template, [*authorized, *client])
    if connector.oauth2:
        yield from _endpoints(connector.oauth2, parameters, sandbox)


def _endpoints(oauth2: OAuth2Auth, parameters: Holders, sandbox: bool) -> Found:
    kept: Holders = {field.name: field for field in oauth2.kept}
    called_back: Holders = {f.name: f for f in oauth2.kept if f.source == "callback"}
    for key, template, holders in (
        ("authorization_endpoint", oauth2.authorization_endpoint, parameters),
        ("token_endpoint", oauth2.token_endpoint, {**parameters, **called_back}),
    ):
        yield from _template(f"oauth2.{key}", template, holders, sandbox)
    if oauth2.refresh_endpoint:
        known = {**parameters, **kept}
        yield from _template("oauth2.refresh_endpoint", oauth2.refresh_endpoint, known, sandbox)
    for key, longer in (("exchange", oauth2.exchange), ("renewal", oauth2.renewal)):
        if longer:
            key = f"oauth2.{key}.endpoint"
            yield from _template(key, longer.endpoint, {**parameters, **kept}, sandbox)
    for name, value in oauth2.authorize_parameters.items():
        yield from faults_of_slots(f"oauth2.authorize_parameters.{name}", value, parameters)
    if oauth2.issuer:
        yield from _template("oauth2.issuer", oauth2.issuer, parameters, sandbox)
    elif oauth2.issuer_required:
        yield "oauth2.issuer", "issuer_required needs an issuer."
    for number, field in enumerate(oauth2.kept):
        key = f"oauth2.kept.{number}.default"
        yield from faults_of_slots(key, field.default, parameters)
        if "://" in field.default:
            yield from faults_of_address(key, field.default, parameters, sandbox)
    if how := oauth2.revocation:
        key = "oauth2.revocation.endpoint"
        token = ["token"] if how.placed == "path" else []
        yield from faults_of_slots(key, how.endpoint, [*parameters, *kept, "client_id", *token])
        yield from faults_of_address(key, how.endpoint, {**parameters, **kept}, sandbox)
        if token and "token" not in slots(how.endpoint):
            yield key, "The path has no {token} slot."


def _known_once_authorized(connector: Connector) -> Holders:
    """Return the values that every auth type provides and that URLs can contain."""
    ways: list[Holders] = []
    if connector.oauth2:
        ways.append({field.name: field for field in connector.oauth2.kept})
    for way in (connector.basic, connector.api_key):
        if way:
            ways.append({box.name: box for box in way.fields if not box.secret})
    shared = set.intersection(*(set(way) for way in ways)) if ways else set()
    return {name: ways[0][name] for name in shared}


def _template(key: str, template: str, holders: Holders, sandbox: bool) -> Found:
    yield from faults_of_slots(key, template, holders)
    yield from faults_of_address(key, template, holders, sandbox)


def faults_of_address(key: str, template: str, holders: Holders, sandbox: bool) -> Found:
    """Check a URL and every slot that can change its host."""
    parts = _ADDRESS.fullmatch(template)
    if parts is None:
        yield key, "This must be an https URL."
        return
    if origin := parts["origin"]:
        holder = holders.get(origin)
        if holder and not pins_origin(getattr(holder, "pattern", "")):
            yield key, f"The pattern of {origin} must start with https:// and spell out a domain."
        return
    if parts["scheme"] == "http" and not sandbox:
        yield key, "Only the sandbox can use http."
    if slot := _SLOT.fullmatch(parts["scheme"]):
        choices = getattr(holders.get(slot[1]), "choices", {})
        if not set(choices) or set(choices) - {"https", "http"}:
            yield key, f"{slot[1]} must be a choice between https and http."
    if not _HOST.fullmatch(_SLOT.sub("x", parts["host"])):
        yield key, "The host can contain only lower case letters, digits, hyphens and dots."
    for slot in _SLOT.finditer(parts["host"]):
        holder = holders.get(slot[1])
        if holder and not _is_safe_host(holder, parts["host"][slot.end() :]):
            yield (
                key,
                f"{slot[1]} could lead to another host. Restrict its pattern, or give choices.",
            )


def _is_safe_host(holder: Parameter | KeptField | CredentialField, after: str) -> bool:
    """Return whether no value can change the domain, given the text ``after`` the slot."""
    if isinstance(holder, CredentialField):
        return False
    if isinstance(holder, Parameter) and holder.choices:
        return all(_HOST.fullmatch(choice) for choice in holder.choices)
    if isinstance(holder, Parameter) and holder.is_host:
        return stays_in_host(holder.pattern, port=not after)
    if re.fullmatch(r"(?:\.[a-z0-9-]+){2,}", after):
        return stays_in_host(holder.pattern)
    return pins_domain(holder.pattern)


def faults_of_slots(key: str, template: str, provided: Iterable[str]) -> Found:
    names = set(provided)
    for slot in sorted(slots(template) - names):
        known = ", ".join(sorted(names)) or "nothing"
        yield key, f"Nothing provides {{{slot}}}. Known here: {known}."
    if re.search(r"[{}]", _SLOT.sub("", template)):
        yield key, "There is a single brace."
