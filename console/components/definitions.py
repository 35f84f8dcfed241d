"""What a component's definition holds: calls through connections and uses of functions.

An object with the name ``connection`` is a call, one with ``function`` a use, wherever in
the definition it stands. ``schemas/component.json`` is the whole grammar.
"""

from __future__ import annotations

import difflib
import heapq
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from console.choices import ComponentKind
from console.components import json_schema
from console.components.document_limits import DEFINITION
from console.components.json_source import (
    MAX_FAULTS,
    JsonFault,
    JsonFaults,
    Path,
    Problem,
    read,
    refuse,
    walk,
)

MAX_LENGTH = 200_000
#: Among so many names the nearest ones are looked for; among more, those that begin alike.
MAX_COMPARED = 200
ROOTS = ("input", "answer", "connection")
#: ``{{ input.x }}``; the path goes on into what was given: ``{{ answer.contacts.0.email }}``.
PLACEHOLDER = re.compile(r"\{\{\s*(\w+)((?:\.\w+)*)\s*\}\}")
#: Headers by which the console itself signs or sends a request.
OWN_HEADERS = frozenset(
    {"accept-encoding", "authorization", "connection", "content-length", "cookie", "host"}
    | {"keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"}
)

STARTERS: Mapping[str, str] = {
    ComponentKind.FORM: '{\n  "fields": []\n}\n',
    ComponentKind.REPORT: '{\n  "columns": []\n}\n',
    ComponentKind.PAGE: '{\n  "sections": []\n}\n',
    ComponentKind.WORKFLOW: '{\n  "steps": []\n}\n',
    ComponentKind.FUNCTION: '{\n  "calls": []\n}\n',
}


@dataclass(frozen=True, kw_only=True)
class CallTemplate:
    """One request through a connection, placeholders and all."""

    connection: str
    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    at: Path = ()


@dataclass(frozen=True, kw_only=True)
class FunctionUse:
    """One run of a function; without ``input`` it gets what came before it."""

    function: str
    input: Mapping[str, Any] | None = None
    at: Path = ()


@dataclass(frozen=True, kw_only=True)
class ComponentDefinition:
    """A definition that has been read: its value, and what it reaches out to."""

    value: Any
    calls: tuple[CallTemplate, ...] = ()
    uses: tuple[FunctionUse, ...] = ()

    @property
    def parts(self) -> tuple[CallTemplate | FunctionUse, ...]:
        """Return the calls and then the uses."""
        return (*self.calls, *self.uses)

    @property
    def connections(self) -> tuple[str, ...]:
        """Name the connections that it calls, each once."""
        return tuple(dict.fromkeys(call.connection for call in self.calls))

    @property
    def functions(self) -> tuple[str, ...]:
        """Name the functions that it uses, each once."""
        return tuple(dict.fromkeys(use.function for use in self.uses))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Name what must be given to run it: every ``x`` of a ``{{ input.x }}``."""
        texts = [text for part in self.parts for _, text in _texts(part)]
        return tuple(
            dict.fromkeys(
                path.split(".")[1]
                for text in texts
                for root, path in PLACEHOLDER.findall(text)
                if root == "input"
            )
        )


def parse(kind: str, text: str) -> ComponentDefinition:
    """Read a definition that a person has typed; raise ``Faults`` with their lines."""
    if words := too_long(text):
        raise JsonFaults([JsonFault(line=1, column=1, message=words)])
    value = read(text, limits=DEFINITION)
    refuse(text, json_schema.problems(value, name="component", part=kind))
    definition = reach(value)
    refuse(text, problems(kind, definition))
    return definition


def too_long(text: str) -> str:
    """Say that a definition has too many characters; nothing if it has not."""
    if len(text) <= MAX_LENGTH:
        return ""
    return f"A definition may have at most {MAX_LENGTH:,} characters; this has {len(text):,}."


def reach(value: Any) -> ComponentDefinition:
    """Find the calls and the uses in a definition that is known to be right."""
    calls: list[CallTemplate] = []
    uses: list[FunctionUse] = []
    inside: Path | None = None
    for path, node in walk(value):
        if inside is not None and path[: len(inside)] == inside:
            continue  # what a call sends is not a part of the application
        if isinstance(node, dict) and "connection" in node:
            inside = path
            calls.append(
                CallTemplate(
                    connection=node["connection"],
                    method=node.get("method", "GET"),
                    path=node["path"],
                    query=node.get("query", {}),
                    headers=node.get("headers", {}),
                    body=node.get("body"),
                    at=path,
                )
            )
        elif isinstance(node, dict) and "function" in node:
            inside = path
            uses.append(FunctionUse(function=node["function"], input=node.get("input"), at=path))
    return ComponentDefinition(value=value, calls=tuple(calls), uses=tuple(uses))


def unknown(
    parts: Iterable[CallTemplate] | Iterable[FunctionUse], known: frozenset[str], *, what: str
) -> Iterator[Problem]:
    """Find what calls or uses something that is not there, and name the nearest names."""
    missing = (part for part in parts if getattr(part, what) not in known)
    for number, part in enumerate(missing):
        name = getattr(part, what)
        # Comparing takes long, and the later ones are only counted.
        hint = _hint(name, known, what) if number < MAX_FAULTS else ""
        yield (*part.at, what), f"This application has no {what} {name}. {hint}"


def _hint(name: str, known: frozenset[str], what: str) -> str:
    near = difflib.get_close_matches(name, _alike(name, known), n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}?" if near else _all_of(known, what)


def _alike(name: str, known: frozenset[str]) -> list[str]:
    """Return the names that are worth comparing with one that is not among them."""
    if len(known) <= MAX_COMPARED:
        return sorted(known)
    return sorted(each for each in known if each[:1] == name[:1])[:MAX_COMPARED]


def dumps(value: Any) -> str:
    """Write a definition as people read it; without spaces where it is too long for that."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    return text if len(text) <= MAX_LENGTH else compact(value)


def compact(value: Any) -> str:
    """Write a definition in as few characters as it can do with."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _all_of(known: frozenset[str], what: str) -> str:
    names = heapq.nsmallest(6, known)
    if not names:
        return f"It has no {what} yet: create one first."
    more = f" and {len(known) - 6} more" if len(known) > 6 else ""
    return f"It has {', '.join(names)}{more}."


def problems(kind: str, definition: ComponentDefinition) -> Iterator[Problem]:
    """Find what is wrong with a definition and no schema can say."""
    if kind == ComponentKind.FUNCTION and definition.uses:
        yield (
            (*definition.uses[0].at, "function"),
            "A function calls services and no other function. Put them one after the other "
            "in a workflow.",
        )
    for call in definition.calls:
        if any(step in {".", ".."} for step in call.path.split("/")):
            yield (*call.at, "path"), "A path may not hold the segments . and .."
        for name in call.headers:
            if name.lower() in OWN_HEADERS:
                yield (
                    (*call.at, "headers", name),
                    f"The header {name} is set by the console, which signs and sends the request.",
                )
    for part in definition.parts:
        for path, text in _texts(part):
            if problem := _placeholder_problem(text):
                yield path, problem


def _placeholder_problem(text: str) -> str:
    for root, path in PLACEHOLDER.findall(text):
        if root not in ROOTS or not path:
            return (
                f"{{{{ {root}{path} }}}} is no placeholder. Write {{{{ input.x }}}}, "
                "{{ answer.x }} or {{ connection.x }}."
            )
    if "{{" in PLACEHOLDER.sub("", text):
        return "This placeholder is not closed, or holds something else than a name."
    return ""


def _texts(part: CallTemplate | FunctionUse) -> Iterator[tuple[Path, str]]:
    """Give every text of a call or a use in which placeholders may stand."""
    fields: Mapping[str, Any] = (
        {"path": part.path, "query": part.query, "headers": part.headers, "body": part.body}
        if isinstance(part, CallTemplate)
        else {"input": part.input}
    )
    for name, value in fields.items():
        for path, text in walk(value, (*part.at, name)):
            if isinstance(text, str):
                yield path, text
