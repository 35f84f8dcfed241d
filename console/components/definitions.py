"""Parse component definitions: JSON with calls through connections and uses of functions.

An object with the key ``connection`` is a call, and one with the key ``function`` is a use of a
function, at any depth. ``schemas/component.json`` is the JSON Schema of definitions.
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
#: Suggestions compare at most so many names; among more, only those with the same first letter.
MAX_COMPARED = 200
ROOTS = ("input", "answer", "connection")
#: ``{{ input.x }}``, or with a longer path into the value: ``{{ answer.contacts.0.email }}``.
PLACEHOLDER = re.compile(r"\{\{\s*(\w+)((?:\.\w+)*)\s*\}\}")
#: Headers that only the console sets, to sign and send requests.
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
    """A request through a connection, with its placeholders not yet filled."""

    connection: str
    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    at: Path = ()


@dataclass(frozen=True, kw_only=True)
class FunctionUse:
    """A use of a function; without ``input`` the function gets the answer of the step before."""

    function: str
    input: Mapping[str, Any] | None = None
    at: Path = ()


@dataclass(frozen=True, kw_only=True)
class ComponentDefinition:
    """A parsed definition: its JSON value, and the calls and uses in it."""

    value: Any
    calls: tuple[CallTemplate, ...] = ()
    uses: tuple[FunctionUse, ...] = ()

    @property
    def parts(self) -> tuple[CallTemplate | FunctionUse, ...]:
        """Return all calls, then all uses."""
        return (*self.calls, *self.uses)

    @property
    def connections(self) -> tuple[str, ...]:
        """Return the link names of the connections that it calls, without duplicates."""
        return tuple(dict.fromkeys(call.connection for call in self.calls))

    @property
    def functions(self) -> tuple[str, ...]:
        """Return the link names of the functions that it uses, without duplicates."""
        return tuple(dict.fromkeys(use.function for use in self.uses))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the names of its inputs: every ``x`` in a placeholder ``{{ input.x }}``."""
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
    """Parse and validate a definition; raise :class:`JsonFaults` with line numbers."""
    if words := too_long(text):
        raise JsonFaults([JsonFault(line=1, column=1, message=words)])
    value = read(text, limits=DEFINITION)
    refuse(text, json_schema.problems(value, name="component", part=kind))
    definition = reach(value)
    refuse(text, problems(kind, definition))
    return definition


def too_long(text: str) -> str:
    """Return a sentence if a definition is too long; empty if it is not."""
    if len(text) <= MAX_LENGTH:
        return ""
    return f"A definition can have at most {MAX_LENGTH:,} characters; this one has {len(text):,}."


def reach(value: Any) -> ComponentDefinition:
    """Find the calls and the uses in a valid definition."""
    calls: list[CallTemplate] = []
    uses: list[FunctionUse] = []
    inside: Path | None = None
    for path, node in walk(value):
        if inside is not None and path[: len(inside)] == inside:
            continue  # what a call sends is data of the service, not part of the definition
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
    """Find references to names that do not exist, and suggest similar names."""
    missing = (part for part in parts if getattr(part, what) not in known)
    for number, part in enumerate(missing):
        name = getattr(part, what)
        # Comparing is slow, and later problems are only counted.
        hint = _hint(name, known, what) if number < MAX_FAULTS else ""
        yield (*part.at, what), f"This application has no {what} {name}. {hint}"


def _hint(name: str, known: frozenset[str], what: str) -> str:
    similar = difflib.get_close_matches(name, _alike(name, known), n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(similar)}?" if similar else _list_of(known, what)


def _alike(name: str, known: frozenset[str]) -> list[str]:
    """Return the known names to compare with an unknown one."""
    if len(known) <= MAX_COMPARED:
        return sorted(known)
    return sorted(each for each in known if each[:1] == name[:1])[:MAX_COMPARED]


def dumps(value: Any) -> str:
    """Serialize a definition with indentation, or without if it would be too long."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    return text if len(text) <= MAX_LENGTH else compact(value)


def compact(value: Any) -> str:
    """Serialize a definition without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _list_of(known: frozenset[str], what: str) -> str:
    names = heapq.nsmallest(6, known)
    if not names:
        return f"It has no {what} yet. Create one first."
    more = f" and {len(known) - 6} more" if len(known) > 6 else ""
    return f"It has {', '.join(names)}{more}."


def problems(kind: str, definition: ComponentDefinition) -> Iterator[Problem]:
    """Find problems of a definition that a JSON Schema cannot express."""
    if kind == ComponentKind.FUNCTION and definition.uses:
        yield (
            (*definition.uses[0].at, "function"),
            "A function can call services, but no other functions. To run functions one after "
            "the other, use a workflow.",
        )
    for call in definition.calls:
        if any(step in {".", ".."} for step in call.path.split("/")):
            yield (*call.at, "path"), "A path cannot contain the segments . and .."
        for name in call.headers:
            if name.lower() in OWN_HEADERS:
                yield (
                    (*call.at, "headers", name),
                    f"The console sets the header {name} when it signs and sends the request.",
                )
    for part in definition.parts:
        for path, text in _texts(part):
            if problem := _placeholder_problem(text):
                yield path, problem


def _placeholder_problem(text: str) -> str:
    for root, path in PLACEHOLDER.findall(text):
        if root not in ROOTS or not path:
            return (
                f"{{{{ {root}{path} }}}} is not a valid placeholder. Use {{{{ input.x }}}}, "
                "{{ answer.x }} or {{ connection.x }}."
            )
    if "{{" in PLACEHOLDER.sub("", text):
        return "This placeholder is not closed, or it contains something other than a name."
    return ""


def _texts(part: CallTemplate | FunctionUse) -> Iterator[tuple[Path, str]]:
    """Yield every string of a call or a use that can contain placeholders."""
    fields: Mapping[str, Any] = (
        {"path": part.path, "query": part.query, "headers": part.headers, "body": part.body}
        if isinstance(part, CallTemplate)
        else {"input": part.input}
    )
    for name, value in fields.items():
        for path, text in walk(value, (*part.at, name)):
            if isinstance(text, str):
                yield path, text
