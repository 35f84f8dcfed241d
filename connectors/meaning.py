"""What must be true of a definition beyond its shape.

Each function looks at one part and yields ``(dotted key, message)`` for each fault.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from connectors.definition import Connector, CredentialField, KeptField, OAuth2, Parameter, Signing
from connectors.patterns import faults_of_pattern, pins_domain, pins_origin, stays_in_host
from connectors.templating import slots

Found = Iterator[tuple[str, str]]
Holders = Mapping[str, Parameter | KeptField | CredentialField]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SLOT = re.compile(r"\{(\w+)\}")
_ADDRESS = re.compile(
    r"(?:(?P<scheme>https?|\{\w+\})://(?P<host>[^/?#]+)|\{(?P<origin>\w+)\})(?:[/?#].*)?"
)
_HEADER = re.compile(r"[A-Za-z0-9-]+")
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?")
#: The fields that an OAuth 2 credential always has.
_TOKEN_FIELDS = ("access_token",)


def faults_of(connector: Connector) -> Found:
    """Yield everything that is wrong with a definition whose shape is right."""
    for look in (_identity, _parameters, _credentials, _scopes, _kept, _check, _addresses):
        yield from look(connector)


def _identity(connector: Connector) -> Found:
    if not re.fullmatch(r"[a-z0-9_]+", connector.slug):
        yield "slug", "The file's name may hold lower case letters, digits and _ alone."
    yield from _sentence("summary", connector.summary)
    for number, step in enumerate(connector.registration):
        yield from _sentence(f"registration.{number}", step)
    yield from _each("aliases", connector.aliases)
    yield from _each("levels", connector.levels)
    if not connector.levels:
        yield "levels", "Name at least one authorization level."
    if not connector.sources:
        yield "sources", "Name the pages that this definition was read from."
    yield from _each("sources", connector.sources)
    pages = {f"sources.{n}": page for n, page in enumerate(connector.sources)}
    pages["documentation"] = connector.documentation
    if connector.scopes_documentation:
        pages["scopes_documentation"] = connector.scopes_documentation
    for key, page in pages.items():
        yield from _address(key, page, {}, connector.sandbox)
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


def _parameters(connector: Connector) -> Found:
    names = [p.name for p in connector.parameters]
    kept = [field.name for field in connector.oauth2.kept] if connector.oauth2 else []
    for number, parameter in enumerate(connector.parameters):
        key = f"parameters.{number}"
        yield from _name(f"{key}.name", parameter.name, [*names, *kept])
        yield from _sentence(f"{key}.help", parameter.help)
        if bool(parameter.pattern) == bool(parameter.choices):
            yield f"{key}.pattern", "Give either a pattern or choices."
            continue
        broken = [(f"{key}.pattern", said) for said in faults_of_pattern(parameter.pattern)]
        yield from broken
        for box in ("default", "example"):
            value = getattr(parameter, box)
            if value and not broken and not parameter.accepts(value):
                yield f"{key}.{box}", f"The parameter itself would refuse {value!r}."


def _credentials(connector: Connector) -> Found:
    if connector.oauth2:
        yield from _signing("oauth2.signing", connector.oauth2.signing, _TOKEN_FIELDS)
    for kind, way in (("basic", connector.basic), ("api_key", connector.api_key)):
        if way is None:
            continue
        names = [box.name for box in way.fields]
        for number, box in enumerate(way.fields):
            yield from _name(f"{kind}.fields.{number}.name", box.name, names)
            yield from _sentence(f"{kind}.fields.{number}.help", box.help)
        if not any(box.secret for box in way.fields):
            yield f"{kind}.fields", "One of the fields must be the secret."
        yield from _signing(f"{kind}.signing", way.signing, names)


def _signing(key: str, signing: Signing, fields: Iterable[str]) -> Found:
    ways = (
        bool(signing.header and signing.value),
        bool(signing.query and signing.value),
        bool(signing.basic_user and signing.basic_password),
    )
    if sum(ways) != 1 or (signing.header and signing.query):
        yield key, "Give header and value, or query and value, or basic_user and basic_password."
    used = set()
    for part in ("value", "basic_user", "basic_password"):
        template = getattr(signing, part)
        used |= slots(template)
        yield from _slots(f"{key}.{part}", template, fields)
    if not used:
        yield key, "No field of the credential is used, so the request would not be signed."


def _scopes(connector: Connector) -> Found:
    oauth2 = connector.oauth2
    if oauth2 is None:
        return
    listed = [scope for _, scope in _listed(oauth2)]
    for key, scope in _listed(oauth2):
        if listed.count(scope) > 1:
            yield f"{key}.scope", f"{scope} is listed twice."
        if re.search(r"\s", scope) or oauth2.scope_separator in scope:
            yield f"{key}.scope", "A scope may not hold a space or the separator of scopes."
    for number, module in enumerate(oauth2.modules):
        if not module.actions:
            yield f"oauth2.modules.{number}.actions", "This module has no actions."
        for position, action in enumerate(module.actions):
            at = f"oauth2.modules.{number}.actions.{position}"
            yield from _sentence(f"{at}.sentence", action.sentence)
            for scope in action.includes:
                if scope not in listed:
                    yield f"{at}.includes", f"{scope} is not among the listed permissions."
    for number, action in enumerate(oauth2.always):
        yield from _sentence(f"oauth2.always.{number}.sentence", action.sentence)
    yield from _each("oauth2.modules", [module.name for module in oauth2.modules])
    yield from _each("oauth2.all_actions", oauth2.all_actions)
    if bool(oauth2.modules) != bool(oauth2.all_actions):
        yield "oauth2.all_actions", "All Actions and the listed permissions need each other."
    for number, scope in enumerate(oauth2.all_actions):
        if scope not in listed:
            yield f"oauth2.all_actions.{number}", f"{scope} is not among the listed permissions."
    yield from (("oauth2.typed_scopes", said) for said in faults_of_pattern(oauth2.typed_scopes))


def _listed(oauth2: OAuth2) -> list[tuple[str, str]]:
    """Name each scope that a person can see, with its place in the file."""
    return [
        *((f"oauth2.always.{n}", action.scope) for n, action in enumerate(oauth2.always)),
        *(
            (f"oauth2.modules.{m}.actions.{n}", action.scope)
            for m, module in enumerate(oauth2.modules)
            for n, action in enumerate(module.actions)
        ),
    ]


def _kept(connector: Connector) -> Found:
    kept = connector.oauth2.kept if connector.oauth2 else ()
    names = [field.name for field in kept]
    for number, field in enumerate(kept):
        yield from _name(f"oauth2.kept.{number}.name", field.name, names)
        for said in faults_of_pattern(field.pattern):
            yield f"oauth2.kept.{number}.pattern", said


def _check(connector: Connector) -> Found:
    check = connector.check
    if not check.account:
        yield "check.account", "Say where the answer names the account."
    for box in ("account", "account_id"):
        yield from _each(f"check.{box}", getattr(check, box))
    if bool(check.url) == bool(check.path):
        yield "check.path", "Give either a path under api_base_url or a whole url."
    if check.path and not check.path.startswith("/"):
        yield "check.path", "A path begins with a slash."
    if check.path and connector.api_base_url.endswith("/"):
        yield "api_base_url", "Leave the slash at the end out; paths begin with one."


def _addresses(connector: Connector) -> Found:
    parameters: Holders = {p.name: p for p in connector.parameters}
    authorized: Holders = {**parameters, **_known_once_authorized(connector)}
    sandbox = connector.sandbox
    yield from _template("api_base_url", connector.api_base_url, authorized, sandbox)
    if connector.check.url:
        yield from _template("check.url", connector.check.url, authorized, sandbox)
    yield from _slots("check.path", connector.check.path, authorized)
    if connector.oauth2:
        yield from _endpoints(connector.oauth2, parameters, sandbox)


def _endpoints(oauth2: OAuth2, parameters: Holders, sandbox: bool) -> Found:
    kept: Holders = {field.name: field for field in oauth2.kept}
    called_back: Holders = {f.name: f for f in oauth2.kept if f.source == "callback"}
    for key, template, holders in (
        ("authorization_endpoint", oauth2.authorization_endpoint, parameters),
        ("token_endpoint", oauth2.token_endpoint, {**parameters, **called_back}),
    ):
        yield from _template(f"oauth2.{key}", template, holders, sandbox)
    if oauth2.issuer:
        yield from _template("oauth2.issuer", oauth2.issuer, parameters, sandbox)
    elif oauth2.issuer_required:
        yield "oauth2.issuer", "An issuer that is required must be named."
    for number, field in enumerate(oauth2.kept):
        key = f"oauth2.kept.{number}.default"
        yield from _slots(key, field.default, parameters)
        if "://" in field.default:
            yield from _address(key, field.default, parameters, sandbox)
    if how := oauth2.revocation:
        key = "oauth2.revocation.endpoint"
        token = ["token"] if how.placed == "path" else []
        yield from _slots(key, how.endpoint, [*parameters, *kept, "client_id", *token])
        yield from _address(key, how.endpoint, {**parameters, **kept}, sandbox)
        if token and "token" not in slots(how.endpoint):
            yield key, "The path has no {token} slot."


def _known_once_authorized(connector: Connector) -> Holders:
    """Return what every way to authorize leaves behind and may be put into an address."""
    ways: list[Holders] = []
    if connector.oauth2:
        ways.append({field.name: field for field in connector.oauth2.kept})
    for way in (connector.basic, connector.api_key):
        if way:
            ways.append({box.name: box for box in way.fields if not box.secret})
    shared = set.intersection(*(set(way) for way in ways)) if ways else set()
    return {name: ways[0][name] for name in shared}


def _template(key: str, template: str, holders: Holders, sandbox: bool) -> Found:
    yield from _slots(key, template, holders)
    yield from _address(key, template, holders, sandbox)


def _address(key: str, template: str, holders: Holders, sandbox: bool) -> Found:
    """Look at an address and at every slot that decides whom it leads to."""
    parts = _ADDRESS.fullmatch(template)
    if parts is None:
        yield key, "This must be an https address."
        return
    if origin := parts["origin"]:
        holder = holders.get(origin)
        if holder and not pins_origin(getattr(holder, "pattern", "")):
            yield key, f"The pattern of {origin} must start with https:// and spell a domain out."
        return
    if parts["scheme"] == "http" and not sandbox:
        yield key, "Only the sandbox may be called by http."
    if slot := _SLOT.fullmatch(parts["scheme"]):
        choices = getattr(holders.get(slot[1]), "choices", {})
        if not set(choices) or set(choices) - {"https", "http"}:
            yield key, f"{slot[1]} must be a choice between https and http."
    if not _HOST.fullmatch(_SLOT.sub("x", parts["host"])):
        yield key, "The host may hold lower case letters, digits, hyphens and dots alone."
    for slot in _SLOT.finditer(parts["host"]):
        holder = holders.get(slot[1])
        if holder and not _is_safe_host(holder, parts["host"][slot.end() :]):
            yield key, f"{slot[1]} could lead to another host; pin its pattern or give choices."


def _is_safe_host(holder: Parameter | KeptField | CredentialField, after: str) -> bool:
    """Tell whether a value can only be what the host's literal rest (``after``) allows."""
    if isinstance(holder, CredentialField):
        return False
    if isinstance(holder, Parameter) and holder.choices:
        return all(_HOST.fullmatch(choice) for choice in holder.choices)
    if isinstance(holder, Parameter) and holder.is_host:
        return stays_in_host(holder.pattern, port=not after)
    if re.fullmatch(r"(?:\.[a-z0-9-]+){2,}", after):
        return stays_in_host(holder.pattern)
    return pins_domain(holder.pattern)


def _slots(key: str, template: str, provided: Iterable[str]) -> Found:
    names = set(provided)
    for slot in sorted(slots(template) - names):
        known = ", ".join(sorted(names)) or "nothing"
        yield key, f"Nothing provides {{{slot}}}. Known here: {known}."
    if re.search(r"[{}]", _SLOT.sub("", template)):
        yield key, "A brace stands alone."


def _name(key: str, name: str, all_names: list[str]) -> Found:
    if not _NAME.fullmatch(name):
        yield key, "A name is lower case letters, digits and _, and starts with a letter."
    if all_names.count(name) > 1:
        yield key, f"The name {name} is used twice."


def _sentence(key: str, text: str) -> Found:
    if text and (not text.endswith((".", ":")) or text[0].islower()):
        yield key, "This must be a sentence: a capital first and a full stop last."


def _each(key: str, items: Sequence[str]) -> Found:
    if "" in items:
        yield key, "An entry is empty."
    for item in (item for item, count in Counter(items).items() if count > 1):
        yield key, f"{item} is listed twice."
