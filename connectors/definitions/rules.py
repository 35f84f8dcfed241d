"""Validation rules for definitions, beyond their types.

Each function checks one part and yields ``(dotted key, message)`` for each fault.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from connectors.definitions.grant_end import TEMPORARY_STATUSES
from connectors.definitions.patterns import faults_of_pattern
from connectors.definitions.schema import Connector, OAuth2Auth, Signing
from connectors.definitions.templates import slots
from connectors.definitions.url_rules import (
    Faults,
    faults_of_slots,
    faults_of_url,
    faults_of_urls,
)

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9-]+")
#: A package URL of a published package: type, namespace, name and version.
_PACKAGE = re.compile(r"pkg:[a-z][a-z0-9.+-]*(?:/[A-Za-z0-9._~%-]+){1,4}(?:@[A-Za-z0-9._~%+-]+)?")
#: Slots with a fixed meaning, which no parameter can provide.
_RESERVED = frozenset({"client_id", "client_secret", "token"})
#: Fields of token requests by RFC 6749 and RFC 7636.
_STANDARD_TOKEN_FIELDS = frozenset(
    {"grant_type", "code", "redirect_uri", "client_id", "client_secret", "code_verifier"}
)
#: The fields that every OAuth 2 credential has.
_TOKEN_FIELDS = ("access_token",)


def faults_of(connector: Connector) -> Faults:
    """Yield all faults of a definition whose types are right."""
    checks = (_identity, _parameters, _credentials, _requests, _scopes, _kept, _check)
    for check in (*checks, faults_of_urls):
        yield from check(connector)


def _identity(connector: Connector) -> Faults:
    if not re.fullmatch(r"[a-z0-9_]+", connector.slug):
        yield "slug", "The file's name can contain only lower case letters, digits and _."
    yield from _sentence_faults("summary", connector.summary)
    for number, step in enumerate(connector.registration):
        yield from _sentence_faults(f"registration.{number}", step)
    yield from _list_faults("aliases", connector.aliases)
    yield from _list_faults("levels", connector.levels)
    if not connector.levels:
        yield "levels", "Name at least one authorization level."
    if not connector.sources:
        yield "sources", "Name the pages that this definition was read from."
    yield from _list_faults("sources", connector.sources)
    for number, source in enumerate(connector.sources):
        if not _PACKAGE.fullmatch(source):
            yield from faults_of_url(f"sources.{number}", source, {}, connector.sandbox)
    pages = {"documentation": connector.documentation}
    if connector.scopes_documentation:
        pages["scopes_documentation"] = connector.scopes_documentation
    for key, page in pages.items():
        yield from faults_of_url(key, page, {}, connector.sandbox)
    for name in ("limit", "remaining", "reset"):
        header = getattr(connector.rate_limit, name)
        if header and not _HEADER.fullmatch(header):
            yield f"rate_limit.{name}", "This is not the name of a header."
    try:
        datetime.date.fromisoformat(connector.read_on)
    except ValueError:
        yield "read_on", "This must be the date of reading, such as 2026-11-24."
    for code, standard in connector.error_codes.items():
        if code != code.lower() or standard not in ("invalid_grant", "invalid_client"):
            yield (
                f"error_codes.{code}",
                "Map a code in lower case to invalid_grant or invalid_client.",
            )
    if not connector.auth_types:
        yield "oauth2", "Offer at least one of [oauth2], [basic] and [api_key]."


def _parameters(connector: Connector) -> Faults:
    names = [p.name for p in connector.parameters]
    kept = [field.name for field in connector.oauth2.kept] if connector.oauth2 else []
    for number, parameter in enumerate(connector.parameters):
        key = f"parameters.{number}"
        yield from _name_faults(f"{key}.name", parameter.name, [*names, *kept])
        yield from _reserved_name_faults(f"{key}.name", parameter.name)
        yield from _sentence_faults(f"{key}.help", parameter.help)
        if bool(parameter.pattern) == bool(parameter.choices):
            yield f"{key}.pattern", "Give either a pattern or choices."
            continue
        broken = [(f"{key}.pattern", message) for message in faults_of_pattern(parameter.pattern)]
        yield from broken
        for field in ("default", "example"):
            value = getattr(parameter, field)
            if value and not broken and not parameter.accepts(value):
                yield f"{key}.{field}", f"The parameter itself would refuse {value!r}."


def _credentials(connector: Connector) -> Faults:
    if connector.oauth2:
        yield from _signing("oauth2.signing", connector.oauth2.signing, _TOKEN_FIELDS)
    for kind, auth in (("basic", connector.basic), ("api_key", connector.api_key)):
        if auth is None:
            continue
        names = [field.name for field in auth.fields]
        for number, field in enumerate(auth.fields):
            yield from _name_faults(f"{kind}.fields.{number}.name", field.name, names)
            yield from _sentence_faults(f"{kind}.fields.{number}.help", field.help)
        if not any(field.secret for field in auth.fields):
            yield f"{kind}.fields", "One of the fields must be the secret."
        yield from _signing(f"{kind}.signing", auth.signing, names)


def _signing(key: str, signing: Signing, fields: Iterable[str]) -> Faults:
    alternatives = (
        bool(signing.header and signing.value),
        bool(signing.query and signing.value),
        bool(signing.basic_user or signing.basic_password),
    )
    if sum(alternatives) != 1 or (signing.header and signing.query):
        yield (
            key,
            "Give header and value, or query and value, or at least one of basic_user and "
            "basic_password.",
        )
    used = set()
    for part in ("value", "basic_user", "basic_password"):
        template = getattr(signing, part)
        used |= slots(template)
        yield from faults_of_slots(f"{key}.{part}", template, fields)
    if not used:
        yield key, "No field of the credential is used, so the request would not be signed."


def _requests(connector: Connector) -> Faults:
    """Check token requests, token exchange and refresh."""
    oauth2 = connector.oauth2
    if oauth2 is None:
        return
    for name in oauth2.token_parameters:
        if name in _STANDARD_TOKEN_FIELDS or name == oauth2.client_id_parameter:
            yield f"oauth2.token_parameters.{name}", "The protocol already sends this."
    if not re.fullmatch(r"[a-z_]+", oauth2.client_id_parameter):
        yield "oauth2.client_id_parameter", "This is not the name of a parameter."
    if oauth2.renewal and not oauth2.exchange:
        yield "oauth2.renewal", "A renewal needs an exchange. Add [oauth2.exchange]."
    if oauth2.exchange and oauth2.refresh_endpoint:
        yield "oauth2.refresh_endpoint", "Tokens that are exchanged are not refreshed."
    if oauth2.exchange and oauth2.refresh_scope:
        yield "oauth2.refresh_scope", "Tokens that are exchanged are not refreshed."
    yield from _grant_ends(oauth2)


def _grant_ends(oauth2: OAuth2Auth) -> Faults:
    for number, end in enumerate(oauth2.grant_ends):
        key = f"oauth2.grant_ends.{number}"
        if not 400 <= end.status <= 499 or end.status in TEMPORARY_STATUSES:
            yield (
                f"{key}.status",
                "Only a status from 400 to 499 can mean the end of a grant. 408, 425, 429 and "
                "those from 500 on are temporary.",
            )
        for message in faults_of_pattern(end.body):
            yield f"{key}.body", message


def _scopes(connector: Connector) -> Faults:
    oauth2 = connector.oauth2
    if oauth2 is None:
        return
    listed = [scope for _, scope in _listed_scopes(oauth2)]
    for key, scope in _listed_scopes(oauth2):
        if listed.count(scope) > 1:
            yield f"{key}.scope", f"{scope} is listed twice."
        if re.search(r"\s", scope) or oauth2.scope_separator in scope:
            yield f"{key}.scope", "A scope cannot contain a space or the scope separator."
    for number, module in enumerate(oauth2.modules):
        if not module.actions:
            yield f"oauth2.modules.{number}.actions", "This module has no actions."
        for position, action in enumerate(module.actions):
            at = f"oauth2.modules.{number}.actions.{position}"
            yield from _sentence_faults(f"{at}.sentence", action.sentence)
            for scope in action.includes:
                if scope not in listed:
                    yield f"{at}.includes", f"{scope} is not among the listed permissions."
    for number, action in enumerate(oauth2.always):
        yield from _sentence_faults(f"oauth2.always.{number}.sentence", action.sentence)
    yield from _list_faults("oauth2.modules", [module.name for module in oauth2.modules])
    yield from _list_faults("oauth2.all_actions", oauth2.all_actions)
    if bool(oauth2.modules) != bool(oauth2.all_actions):
        yield "oauth2.all_actions", "Listed permissions and all_actions need each other."
    for number, scope in enumerate(oauth2.all_actions):
        if scope not in listed:
            yield f"oauth2.all_actions.{number}", f"{scope} is not among the listed permissions."
    yield from (
        ("oauth2.typed_scopes", message) for message in faults_of_pattern(oauth2.typed_scopes)
    )


def _listed_scopes(oauth2: OAuth2Auth) -> list[tuple[str, str]]:
    """Return each listed scope with its key."""
    return [
        *((f"oauth2.always.{n}", action.scope) for n, action in enumerate(oauth2.always)),
        *(
            (f"oauth2.modules.{m}.actions.{n}", action.scope)
            for m, module in enumerate(oauth2.modules)
            for n, action in enumerate(module.actions)
        ),
    ]


def _kept(connector: Connector) -> Faults:
    kept = connector.oauth2.kept if connector.oauth2 else ()
    names = [field.name for field in kept]
    for number, field in enumerate(kept):
        yield from _name_faults(f"oauth2.kept.{number}.name", field.name, names)
        yield from _reserved_name_faults(f"oauth2.kept.{number}.name", field.name)
        for message in faults_of_pattern(field.pattern):
            yield f"oauth2.kept.{number}.pattern", message


def _check(connector: Connector) -> Faults:
    check = connector.check
    for field in ("account", "account_id"):
        yield from _list_faults(f"check.{field}", getattr(check, field))
    if bool(check.url) == bool(check.path):
        yield "check.path", "Give either a path under api_base_url or a whole url."
    if check.path and not check.path.startswith("/"):
        yield "check.path", "A path must begin with a slash."
    for status in check.refused_statuses:
        if not 400 <= status <= 499 or status in TEMPORARY_STATUSES:
            yield (
                "check.refused_statuses",
                f"{status} cannot mean an invalid credential. Use statuses from 400 to 499 "
                "other than 408, 425 and 429.",
            )
    if check.path and connector.api_base_url.endswith("/"):
        yield "api_base_url", "Remove the slash at the end; paths begin with one."


def _name_faults(key: str, name: str, all_names: list[str]) -> Faults:
    if not _NAME.fullmatch(name):
        yield key, "A name consists of lower case letters, digits and _, and starts with a letter."
    if all_names.count(name) > 1:
        yield key, f"The name {name} is used twice."


def _reserved_name_faults(key: str, name: str) -> Faults:
    if name in _RESERVED:
        yield key, f"{name} has a fixed meaning in templates. Choose another name."


def _sentence_faults(key: str, text: str) -> Faults:
    if text and (not text.endswith((".", ":")) or text[0].islower()):
        yield (
            key,
            "This must be a sentence that starts with a capital letter and ends with a period.",
        )


def _list_faults(key: str, items: Sequence[str]) -> Faults:
    if "" in items:
        yield key, "An entry is empty."
    for item in (item for item, count in Counter(items).items() if count > 1):
        yield key, f"{item} is listed twice."
