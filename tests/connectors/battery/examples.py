"""Example values for a definition: parameters, credentials, and fields of responses."""

from __future__ import annotations

import re
import string
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from connectors.api.auth_strategies import AUTH_TYPES
from connectors.definitions.schema import AuthType, Connector

#: Characters to try in this order, so that examples look like hosts and identifiers.
_CHARACTERS = "ab1AB-_." + string.ascii_letters + string.digits


def example_of(pattern: str) -> str:
    """Return a short text that matches the whole pattern, using its last alternative."""
    text = "".join(_texts(parser.parse(pattern)))
    assert re.fullmatch(pattern, text), (pattern, text)
    return text


def _texts(nodes: Any) -> list[str]:
    return [_text(kind, argument) for kind, argument in nodes]


def _text(kind: Any, argument: Any) -> str:
    if kind is constants.LITERAL:
        return chr(argument)
    if kind is constants.IN:
        return next(c for c in _CHARACTERS if any(_contains(item, ord(c)) for item in argument))
    if kind is constants.MAX_REPEAT:
        least, _, nodes = argument
        return "".join(_texts(nodes)) * least
    if kind is constants.SUBPATTERN:
        return "".join(_texts(argument[-1]))
    if kind is constants.BRANCH:
        return "".join(_texts(argument[1][-1]))
    raise AssertionError(f"No example is known for {kind}.")


def _contains(item: tuple[Any, Any], code: int) -> bool:
    kind, argument = item
    if kind is constants.RANGE:
        return bool(argument[0] <= code <= argument[1])
    return kind is constants.LITERAL and argument == code


def parameters(connector: Connector) -> dict[str, str]:
    """Return values for the parameters; for a choice, the last one."""
    return {p.name: _example_value(p) for p in connector.parameters}


def _example_value(parameter: Any) -> str:
    if set(parameter.choices) == {"https", "http"}:
        return "https"  # plain http is for hosts that the operator allows
    if parameter.choices:
        return list(parameter.choices)[-1]
    return parameter.example or parameter.default


def kept(connector: Connector, source: str) -> dict[str, str]:
    """Return the fields that the service sends in the callback or in the token response."""
    fields = connector.oauth2.kept if connector.oauth2 else ()
    return {field.name: example_of(field.pattern) for field in fields if field.source == source}


def credential(connector: Connector, auth_type: AuthType) -> dict[str, str]:
    """Return values for the fields of the credentials form."""
    fields = AUTH_TYPES[auth_type].fields(connector)
    return {field.name: f"typed-{field.name}-0123"[: field.max_length] for field in fields}


def known_scopes(connector: Connector) -> list[str]:
    """Return the scopes to request: the listed ones, or an example of a typed one."""
    oauth2 = connector.oauth2
    assert oauth2 is not None
    listed = [*(action.scope for action in oauth2.always), *oauth2.all_actions]
    if not oauth2.all_actions and oauth2.typed_scopes:
        listed.append(example_of(oauth2.typed_scopes))
    return list(dict.fromkeys(listed))
