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

Faults = Iterator[tuple[str, str]]
ValueSources = Mapping[str, Parameter | KeptField | CredentialField]

_SLOT = re.compile(r"\{(\w+)\}")
_URL = re.compile(
    r"(?:(?P<scheme>https?|\{\w+\})://(?P<host>[^/?#]+)|\{(?P<origin>\w+)\})(?:[/?#].*)?"
)
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?")


def faults_of_urls(connector: Connector) -> Faults:
    parameters: ValueSources = {p.name: p for p in connector.parameters}
    authorized: ValueSources = {**parameters, **_values_of_every_auth_type(connector)}
    sandbox = connector.sandbox
    yield from _url_template_faults("api_base_url", connector.api_base_url, authorized, sandbox)
    if connector.check.url:
        yield from _url_template_faults("check.url", connector.check.url, authorized, sandbox)
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


def _endpoints(oauth2: OAuth2Auth, parameters: ValueSources, sandbox: bool) -> Faults:
    kept: ValueSources = {field.name: field for field in oauth2.kept}
    called_back: ValueSources = {f.name: f for f in oauth2.kept if f.source == "callback"}
    for key, template, sources in (
        ("authorization_endpoint", oauth2.authorization_endpoint, parameters),
        ("token_endpoint", oauth2.token_endpoint, {**parameters, **called_back}),
    ):
        yield from _url_template_faults(f"oauth2.{key}", template, sources, sandbox)
    if oauth2.refresh_endpoint:
        known = {**parameters, **kept}
        yield from _url_template_faults(
            "oauth2.refresh_endpoint", oauth2.refresh_endpoint, known, sandbox
        )
    for key, exchange in (("exchange", oauth2.exchange), ("renewal", oauth2.renewal)):
        if exchange:
            key = f"oauth2.{key}.endpoint"
            yield from _url_template_faults(key, exchange.endpoint, {**parameters, **kept}, sandbox)
    for name, value in oauth2.authorize_parameters.items():
        yield from faults_of_slots(f"oauth2.authorize_parameters.{name}", value, parameters)
    if oauth2.issuer:
        yield from _url_template_faults("oauth2.issuer", oauth2.issuer, parameters, sandbox)
    elif oauth2.issuer_required:
        yield "oauth2.issuer", "issuer_required needs an issuer."
    for number, field in enumerate(oauth2.kept):
        key = f"oauth2.kept.{number}.default"
        yield from faults_of_slots(key, field.default, parameters)
        if "://" in field.default:
            yield from faults_of_url(key, field.default, parameters, sandbox)
    if revocation := oauth2.revocation:
        key = "oauth2.revocation.endpoint"
        token = ["token"] if revocation.placed == "path" else []
        yield from faults_of_slots(
            key, revocation.endpoint, [*parameters, *kept, "client_id", *token]
        )
        yield from faults_of_url(key, revocation.endpoint, {**parameters, **kept}, sandbox)
        if token and "token" not in slots(revocation.endpoint):
            yield key, "The path has no {token} slot."


def _values_of_every_auth_type(connector: Connector) -> ValueSources:
    """Return the values that every auth type provides and that URLs can contain."""
    offered: list[ValueSources] = []
    if connector.oauth2:
        offered.append({field.name: field for field in connector.oauth2.kept})
    for auth in (connector.basic, connector.api_key):
        if auth:
            offered.append({field.name: field for field in auth.fields if not field.secret})
    shared = set.intersection(*(set(fields) for fields in offered)) if offered else set()
    return {name: offered[0][name] for name in shared}


def _url_template_faults(key: str, template: str, sources: ValueSources, sandbox: bool) -> Faults:
    yield from faults_of_slots(key, template, sources)
    yield from faults_of_url(key, template, sources, sandbox)


def faults_of_url(key: str, template: str, sources: ValueSources, sandbox: bool) -> Faults:
    """Check a URL and every slot that can change its host."""
    parts = _URL.fullmatch(template)
    if parts is None:
        yield key, "This must be an https URL."
        return
    if origin := parts["origin"]:
        source = sources.get(origin)
        if source and not pins_origin(getattr(source, "pattern", "")):
            yield key, f"The pattern of {origin} must start with https:// and spell out a domain."
        return
    if parts["scheme"] == "http" and not sandbox:
        yield key, "Only the sandbox can use http."
    if slot := _SLOT.fullmatch(parts["scheme"]):
        choices = getattr(sources.get(slot[1]), "choices", {})
        if not set(choices) or set(choices) - {"https", "http"}:
            yield key, f"{slot[1]} must be a choice between https and http."
    if not _HOST.fullmatch(_SLOT.sub("x", parts["host"])):
        yield key, "The host can contain only lower case letters, digits, hyphens and dots."
    for slot in _SLOT.finditer(parts["host"]):
        source = sources.get(slot[1])
        if source and not _is_safe_host(source, parts["host"][slot.end() :]):
            yield (
                key,
                f"{slot[1]} could lead to another host. Restrict its pattern, or give choices.",
            )


def _is_safe_host(source: Parameter | KeptField | CredentialField, after: str) -> bool:
    """Return whether no value can change the domain, given the text ``after`` the slot."""
    if isinstance(source, CredentialField):
        return False
    if isinstance(source, Parameter) and source.choices:
        return all(_HOST.fullmatch(choice) for choice in source.choices)
    if isinstance(source, Parameter) and source.is_host:
        return stays_in_host(source.pattern, port=not after)
    if re.fullmatch(r"(?:\.[a-z0-9-]+){2,}", after):
        return stays_in_host(source.pattern)
    return pins_domain(source.pattern)


def faults_of_slots(key: str, template: str, provided: Iterable[str]) -> Faults:
    names = set(provided)
    for slot in sorted(slots(template) - names):
        known = ", ".join(sorted(names)) or "nothing"
        yield key, f"Nothing provides {{{slot}}}. Known here: {known}."
    if re.search(r"[{}]", _SLOT.sub("", template)):
        yield key, "There is a single brace."
