"""What differs between two manifests: Added, Modified, Deleted, each with a readable diff."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connections.standing import Standing
from console.applications.models import Kind
from console.publishing.manifest import Manifest, Part, canonical


class Status(StrEnum):
    """What happened to a part of an application."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"

    @property
    def label(self) -> str:
        return self.value.capitalize()


@dataclass(frozen=True, kw_only=True)
class Change:
    """One component or connection that is not the same on both sides.

    ``through`` names connections: the component itself is the same, and they are not.
    """

    status: Status
    before: Part | Standing | None
    after: Part | Standing | None
    through: tuple[str, ...] = ()

    @property
    def part(self) -> Any:
        """Return it as it is, or as it was before it was deleted."""
        return self.after or self.before

    @property
    def kind(self) -> str:
        """Name what it is, for a person."""
        return Kind(self.part.kind).label if isinstance(self.part, Part) else "Connection"

    @property
    def facts(self) -> list[str]:
        """Say in words what a name for people and permissions became."""
        if not (self.before and self.after):
            return []
        said = []
        if self.before.name != self.after.name:
            said.append(f"Renamed from {self.before.name}.")
        if isinstance(self.before, Standing) and isinstance(self.after, Standing):
            old, new = self.before.scopes_asked, self.after.scopes_asked
            if more := [scope for scope in new if scope not in old]:
                said.append(f"Asks for {', '.join(more)} now.")
            if less := [scope for scope in old if scope not in new]:
                said.append(f"Does not ask for {', '.join(less)} any more.")
        return said


@dataclass(frozen=True, kw_only=True)
class Changes:
    """All that differs, by link name and in the order of these."""

    components: Mapping[str, Change]
    connections: Mapping[str, Change]

    def __bool__(self) -> bool:
        return bool(self.components or self.connections)


def changes(before: Manifest, after: Manifest) -> Changes:
    """Compare two manifests, part by part."""
    connections = _changes(before.connections, after.connections)
    components = _changes(before.components, after.components)
    for link_name, part in after.components.items():
        through = tuple(name for name in part.reached.connections if name in connections)
        if through and link_name not in components:
            components[link_name] = Change(
                status=Status.MODIFIED,
                before=before.components[link_name],
                after=part,
                through=through,
            )
    return Changes(
        components=dict(sorted(components.items())), connections=dict(sorted(connections.items()))
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Change]:
    found = {}
    for link_name in sorted(before.keys() | after.keys()):
        old, new = before.get(link_name), after.get(link_name)
        if old and new and (old is new or _says(old) == _says(new)):
            continue
        status = Status.MODIFIED if old and new else Status.ADDED if new else Status.DELETED
        found[link_name] = Change(status=status, before=old, after=new)
    return found


def _says(part: Part | Standing) -> str:
    return canonical(part.as_document())


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a diff; ``sign`` is ``+``, ``-``, a space, or ``…`` where lines are left out."""

    sign: str
    text: str


def diff(change: Change) -> list[Line]:
    """Compare how both sides are written, line by line, with three lines around."""
    before, after = _written(change.before), _written(change.after)
    lines: list[Line] = []
    for line in list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]:
        if line.startswith("@@"):
            lines += [Line(sign="…", text="")] if lines else []
        else:
            lines.append(Line(sign=line[0], text=line[1:]))
    return lines


def _written(part: Part | Standing | None) -> list[str]:
    if part is None:
        return []
    lines = json.dumps(part.as_document(), indent=2, ensure_ascii=False).splitlines()
    # Else the line before one that was added would count as changed for its comma.
    return [line.removesuffix(",") for line in lines]
