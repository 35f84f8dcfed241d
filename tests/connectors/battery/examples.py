"""Values that fit a definition: what a developer types in, and what a service sends."""

from __future__ import annotations

import re
import string
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from connectors.api.auth_strategies import AUTH_TYPES
from connectors.definitions.schema import AuthType, Connector

#: What sets are asked for first, so that examples look like hosts and identifiers.
_CHARACTERS = "ab1AB-_." + string.ascii_letters + string.digits


def example_of(pattern: str) -> str:
    """Return a short text that the pattern matches as a whole; of choices the last one."""
    text = "".join(_texts(parser.parse(pattern)))
    assert re.fullmatch(pattern, text), (pattern, text)
    return text


def _texts(nodes: Any) -> list[str]:
    return [_text(kind, argument) for kind, argument in nodes]


def _text(kind: Any, argument: Any) -> str:
    if kind is constants.LITERAL:
        return chr(argument)
    if kind is constants.IN:
        return next(c for c in _CHARACTERS if any(_holds(item, ord(c)) for item in argument))
    if kind is constants.MAX_REPEAT:
        least, _, nodes = argument
        return "".join(_texts(nodes)) * least
    if kind is constants.SUBPATTERN:
        return "".join(_texts(argument[-1]))
    if kind is constants.BRANCH:
        return "".join(_texts(argument[1][-1]))
    raise AssertionError(f"No example is known for {kind}.")


def _holds(item: tuple[Any, Any], code: int) -> bool:
    kind, argument = item
    if kind is constants.RANGE:
        return bool(argument[0] <= code <= argument[1])
    return kind is constants.LITERAL and argument == code


def parameters(connector: Connector) -> dict[str, str]:
    """Return what the developer states, where there is a choice something unusual."""
    return {p.name: _stated(p) for p in connector.parameters}


def _stated(parameter: Any) -> str:
    if set(parameter.choices) == {"https", "http"}:
        return "https"  # plain http is for hosts that the operator allows
    if parameter.choices:
        return list(parameter.choices)[-1]
    return parameter.example or parameter.default


def kept(connector: Connector, source: str) -> dict[str, str]:
    """Return the fields that the service sends in its callback or in its token answer."""
    fields = connector.oauth2.kept if connector.oauth2 else ()
    return {field.name: example_of(field.pattern) for field in fields if field.source == source}


def credential(connector: Connector, auth_type: AuthType) -> dict[str, str]:
    """Return what is typed into the boxes of the credentials form."""
    boxes = AUTH_TYPES[auth_type].fields(connector)
    return {box.name: f"typed-{box.name}-0123"[: box.max_length] for box in boxes}


def known_scopes(connector: Connector) -> list[str]:
    """Return the scopes to ask for: the listed ones, or some that are typed in."""
    oauth2 = connector.oauth2
    assert oauth2 is not None
    listed = [*(action.scope for action in oauth2.always), *oauth2.all_actions]
    if not oauth2.all_actions and oauth2.typed_scopes:
        listed.append(example_of(oauth2.typed_scopes))
    return list(dict.fromkeys(listed))
