"""What keeps a file from being imported: each fault with the path to it, and one sentence."""

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
    """Find what is wrong in a file that is JSON; what breaks the schema comes first.

    Of what breaks it, nothing more is asked.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        yield (
            ("format",),
            f"This is no exported application: those begin with “format”: “{FORMAT}”. "
            "Choose a file that this or another Developer Console has exported.",
        )
        return
    number = document.get("schema")
    if isinstance(number, int) and number > SCHEMA:
        yield (
            ("schema",),
            f"This file is of schema {number} and this console reads up to schema {SCHEMA}. "
            "Update the console, or export it from an older one.",
        )
        return
    broken = []
    for problem in _broken(document):
        broken.append(problem)
        yield problem
    connections = _sound(document, "connections", broken)
    components = _sound(document, "components", broken)
    for path, connection in connections:
        yield from _below(path, _wrong_in_connection(connection))
    yield from _twice(connections, "name", "connection")
    yield from _twice(connections, "link_name", "connection")
    yield from _twice(components, "link_name", "component")
    for path, component in components:
        yield from _below(path, _wrong_in_name(component))
    application = document.get("application")
    if application and not any(path[:1] == ("application",) for path, _ in broken):
        yield from _below(("application",), _wrong_in_name(application))
    yield from _wrong_in_components(document, components)


def _broken(document: dict[str, Any]) -> Iterator[Problem]:
    """Find what breaks the schema, one connection and one component after the other.

    Who reads the first problems alone does not pay for all of them.
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
            yield (name,), f"At most {most} are allowed here, and there are {len(items)}."
            continue
        part = name.removesuffix("s")
        for number, item in enumerate(items):
            path: Path = (name, number)
            if name == "components" and (words := _too_long(item)):
                yield (*path, "definition"), words
                continue
            yield from _below(path, json_schema.problems(item, name="application", part=part))


def _too_long(component: Any) -> str:
    if not isinstance(component, dict) or "definition" not in component:
        return ""
    return definitions.too_long(definitions.compact(component["definition"]))


def _sound(document: dict[str, Any], name: str, broken: Iterable[Problem]) -> Items:
    """Give what breaks nothing of the schema, with the path to it."""
    paths = {path[:2] for path, _ in broken}
    items = document.get(name)
    if not isinstance(items, list) or (name,) in paths:
        return []
    return [((name, n), item) for n, item in enumerate(items) if (name, n) not in paths]


def _below(path: Path, found: Iterable[Problem]) -> Iterator[Problem]:
    for inner, message in found:
        yield (*path, *inner), message


def _twice(items: Items, name: str, what: str) -> Iterator[Problem]:
    seen = set()
    for path, item in items:
        if (key := names.normalized(item[name]).lower()) in seen:
            words = f"Another {what} before this one has the {name.replace('_', ' ')} {item[name]}"
            case = ", whatever its upper and lower case" if name == "name" else ""
            yield (*path, name), f"{words}{case}. Each {what} has its own: change one of them."
        seen.add(key)


def _wrong_in_components(document: dict[str, Any], components: Items) -> Iterator[Problem]:
    connections = frozenset(_link_names(document.get("connections")))
    functions = frozenset(_link_names(document.get("components"), kind=ComponentKind.FUNCTION))
    for path, component in components:
        inside, value = (*path, "definition"), component["definition"]
        definition = definitions.reach(value)
        yield from _below(inside, definitions.problems(component["kind"], definition))
        yield from _below(
            inside, definitions.unknown(definition.calls, connections, what="connection")
        )
        yield from _below(inside, definitions.unknown(definition.uses, functions, what="function"))


def _link_names(items: Any, kind: str = "") -> Iterator[str]:
    """Name what the file holds, faulty or not: who calls something faulty is right himself."""
    held = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    for item in held:
        link_name = item.get("link_name")
        if isinstance(link_name, str) and (not kind or item.get("kind") == kind):
            yield link_name


def _wrong_in_name(item: Mapping[str, Any]) -> Iterator[Problem]:
    if fault := names.fault_in(names.normalized(item["name"])):
        yield ("name",), fault


def _wrong_in_connection(connection: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _wrong_in_name(connection)
    try:
        connector = get_connector(connection["connector"])
    except UnknownConnector as error:
        yield ("connector",), str(error)
        return
    if connection["auth_type"] not in connector.auth_types:
        offered = _listed(connector.auth_types)
        yield ("auth_type",), f"{connector.name} is authorized by {offered} and nothing else."
    if connection["level"] not in connector.levels:
        offered = _listed(connector.levels)
        yield ("level",), f"{connector.name} is authorized by {offered} and nobody else."
    yield from _wrong_in_scopes(connector, connection.get("scopes", []))
    yield from _wrong_in_parameters(connector, connection.get("parameters", {}))


def _wrong_in_scopes(connector: Connector, scopes: list[str]) -> Iterator[Problem]:
    oauth2 = connector.oauth2
    for number, scope in enumerate(scopes):
        if oauth2 is None:
            yield ("scopes", number), f"{connector.name} knows no scopes. Leave them out."
        elif scope not in oauth2.actions and not (
            oauth2.typed_scopes and re.fullmatch(oauth2.typed_scopes, scope)
        ):
            yield (
                ("scopes", number),
                f"{connector.name} offers no scope {scope}. Take it out of the list, or write it "
                "as the connector does.",
            )


def _wrong_in_parameters(connector: Connector, parameters: Mapping[str, str]) -> Iterator[Problem]:
    known = {parameter.name: parameter for parameter in connector.parameters}
    for name, value in parameters.items():
        if name not in known:
            has = f"It has {_listed(known)}." if known else "It has none."
            yield ("parameters", name), f"{connector.name} has no parameter {name}. {has}"
        elif not known[name].accepts(value):
            hint = _hint(known[name])
            with suppress(NotAParameter):
                hint = f"Write “{normalized(value, known[name], connector, parameters)}”."
            yield ("parameters", name), f"{known[name].label} cannot be this. {hint}"
    for name, parameter in known.items():
        if name not in parameters and not parameter.accepts(""):
            yield (
                ("parameters",),
                f"{parameter.label} (“{name}”) is missing here. {_hint(parameter)}",
            )


def _hint(parameter: Parameter) -> str:
    if parameter.choices:
        return f"It is one of {', '.join(parameter.choices)}."
    example = f" An example is {parameter.example}." if parameter.example else ""
    return f"{parameter.help}{example}".strip()


def _listed(words: Iterable[str]) -> str:
    return " or ".join(words)
