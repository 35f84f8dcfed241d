"""Validate a file to import: each problem is a path and one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from connectors.definitions.registry import UnknownConnector, get_connector
from connectors.definitions.schema import Connector, Parameter
from connectors.definitions.typed_parameter import NotAParameter, normalized
from console import names
from console.choices import ComponentKind
from console.components import definitions, json_schema
from console.components.json_source import Path, Problem
from console.transfer.exporting import FORMAT, SCHEMA

Items = list[tuple[Path, dict[str, Any]]]


def problems(document: Any) -> Iterator[Problem]:
    """Find the problems of a parsed file, those of the JSON Schema first.

    Items that do not conform to the schema are not checked further.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        yield (
            ("format",),
            f"This is not an exported application: “format” must be “{FORMAT}”. "
            "Choose a file that was exported from a Developer Console.",
        )
        return
    number = document.get("schema")
    if isinstance(number, int) and number > SCHEMA:
        yield (
            ("schema",),
            f"This file has schema {number}, but this console supports schema {SCHEMA} at most. "
            "Update this console, or export the application from an older one.",
        )
        return
    broken = []
    for problem in _schema_problems(document):
        broken.append(problem)
        yield problem
    connections = _valid_items(document, "connections", broken)
    components = _valid_items(document, "components", broken)
    for path, connection in connections:
        yield from _prefixed(path, _connection_problems(connection))
    yield from _duplicates(connections, "name", "connection")
    yield from _duplicates(connections, "link_name", "connection")
    yield from _duplicates(components, "link_name", "component")
    for path, component in components:
        yield from _prefixed(path, _name_problems(component))
    application = document.get("application")
    if application and not any(path[:1] == ("application",) for path, _ in broken):
        yield from _prefixed(("application",), _name_problems(application))
    yield from _reference_problems(document, components)


def _schema_problems(document: dict[str, Any]) -> Iterator[Problem]:
    """Validate against the JSON Schema lazily, one connection and one component at a time.

    A caller that reads only the first problems does not pay for the rest.
    """
    rules = json_schema.schema("application")["properties"]
    lists = {
        name: document[name]
        for name in ("connections", "components")
        if isinstance(document.get(name), list)
    }
    yield from json_schema.problems({**document, **{key: [] for key in lists}}, name="application")
    for name, items in lists.items():
        if len(items) > (most := rules[name]["maxItems"]):
            yield (name,), f"There can be at most {most} of these, but there are {len(items)}."
            continue
        part = name.removesuffix("s")
        for number, item in enumerate(items):
            path: Path = (name, number)
            if name == "components" and (words := _too_long(item)):
                yield (*path, "definition"), words
                continue
            yield from _prefixed(path, json_schema.problems(item, name="application", part=part))


def _too_long(component: Any) -> str:
    if not isinstance(component, dict) or "definition" not in component:
        return ""
    return definitions.too_long(definitions.compact(component["definition"]))


def _valid_items(document: dict[str, Any], name: str, broken: Iterable[Problem]) -> Items:
    """Return the items that conform to the schema, each with its path."""
    paths = {path[:2] for path, _ in broken}
    items = document.get(name)
    if not isinstance(items, list) or (name,) in paths:
        return []
    return [((name, n), item) for n, item in enumerate(items) if (name, n) not in paths]


def _prefixed(path: Path, found: Iterable[Problem]) -> Iterator[Problem]:
    for inner, message in found:
        yield (*path, *inner), message


def _duplicates(items: Items, name: str, what: str) -> Iterator[Problem]:
    seen = set()
    for path, item in items:
        if (key := names.normalized(item[name]).lower()) in seen:
            words = f"Another {what} already has the {name.replace('_', ' ')} {item[name]}"
            case = ", ignoring upper and lower case" if name == "name" else ""
            yield (*path, name), f"{words}{case}. Each {what} needs its own: change one of them."
        seen.add(key)


def _reference_problems(document: dict[str, Any], components: Items) -> Iterator[Problem]:
    connections = frozenset(_link_names(document.get("connections")))
    functions = frozenset(_link_names(document.get("components"), kind=ComponentKind.FUNCTION))
    for path, component in components:
        inside, value = (*path, "definition"), component["definition"]
        definition = definitions.reach(value)
        yield from _prefixed(inside, definitions.problems(component["kind"], definition))
        yield from _prefixed(
            inside, definitions.unknown(definition.calls, connections, what="connection")
        )
        yield from _prefixed(
            inside, definitions.unknown(definition.uses, functions, what="function")
        )


def _link_names(items: Any, kind: str = "") -> Iterator[str]:
    """Yield the link names in the file, also of invalid items: a reference to them is correct."""
    held = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    for item in held:
        link_name = item.get("link_name")
        if isinstance(link_name, str) and (not kind or item.get("kind") == kind):
            yield link_name


def _name_problems(item: Mapping[str, Any]) -> Iterator[Problem]:
    if fault := names.fault_in(names.normalized(item["name"])):
        yield ("name",), fault


def _connection_problems(connection: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _name_problems(connection)
    try:
        connector = get_connector(connection["connector"])
    except UnknownConnector as error:
        yield ("connector",), str(error)
        return
    if connection["auth_type"] not in connector.auth_types:
        offered = _joined_by_or(connector.auth_types)
        yield ("auth_type",), f"{connector.name} can only be authorized with {offered}."
    if connection["level"] not in connector.levels:
        offered = _joined_by_or(connector.levels)
        yield ("level",), f"{connector.name} supports only the level {offered}."
    yield from _scope_problems(connector, connection.get("scopes", []))
    yield from _parameter_problems(connector, connection.get("parameters", {}))


def _scope_problems(connector: Connector, scopes: list[str]) -> Iterator[Problem]:
    oauth2 = connector.oauth2
    for number, scope in enumerate(scopes):
        if oauth2 is None:
            yield ("scopes", number), f"{connector.name} has no scopes. Remove them."
        elif scope not in oauth2.actions and not (
            oauth2.typed_scopes and re.fullmatch(oauth2.typed_scopes, scope)
        ):
            yield (
                ("scopes", number),
                f"{connector.name} has no scope {scope}. Remove it, or correct its spelling.",
            )


def _parameter_problems(connector: Connector, parameters: Mapping[str, str]) -> Iterator[Problem]:
    known = {parameter.name: parameter for parameter in connector.parameters}
    for name, value in parameters.items():
        if name not in known:
            has = f"It has {_joined_by_or(known)}." if known else "It has none."
            yield ("parameters", name), f"{connector.name} has no parameter {name}. {has}"
        elif not known[name].accepts(value):
            hint = _hint(known[name])
            with suppress(NotAParameter):
                hint = f"Write “{normalized(value, known[name], connector, parameters)}”."
            yield ("parameters", name), f"{known[name].label} has an invalid value. {hint}"
    for name, parameter in known.items():
        if name not in parameters and not parameter.accepts(""):
            yield (
                ("parameters",),
                f"{parameter.label} (“{name}”) is missing. {_hint(parameter)}",
            )


def _hint(parameter: Parameter) -> str:
    if parameter.choices:
        return f"It must be one of {', '.join(parameter.choices)}."
    example = f" An example is {parameter.example}." if parameter.example else ""
    return f"{parameter.help}{example}".strip()


def _joined_by_or(words: Iterable[str]) -> str:
    return " or ".join(words)
