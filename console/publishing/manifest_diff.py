"""What differs between two manifests: Added, Modified, Deleted, each with a readable diff."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connections.models.snapshot import ConnectionSnapshot
from console.choices import ComponentKind
from console.publishing.line_diff import line_diff
from console.publishing.manifest import ComponentSnapshot, Manifest, canonical

#: The most that a page shows of one difference, and how much it shows around what changed.
MAX_LINES = 2_000
AROUND = 3


class ChangeStatus(StrEnum):
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

    status: ChangeStatus
    before: ComponentSnapshot | ConnectionSnapshot | None
    after: ComponentSnapshot | ConnectionSnapshot | None
    through: tuple[str, ...] = ()

    @property
    def part(self) -> Any:
        """Return it as it is, or as it was before it was deleted."""
        return self.after or self.before

    @property
    def kind(self) -> str:
        """Name what it is, for a person."""
        return (
            ComponentKind(self.part.kind).label
            if isinstance(self.part, ComponentSnapshot)
            else "Connection"
        )

    @property
    def facts(self) -> list[str]:
        """Say in words what a name for people and permissions became."""
        if not (self.before and self.after):
            return []
        said = []
        if self.before.name != self.after.name:
            said.append(f"Renamed from {self.before.name}.")
        if isinstance(self.before, ConnectionSnapshot) and isinstance(
            self.after, ConnectionSnapshot
        ):
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
                status=ChangeStatus.MODIFIED,
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
        status = (
            ChangeStatus.MODIFIED
            if old and new
            else ChangeStatus.ADDED
            if new
            else ChangeStatus.DELETED
        )
        found[link_name] = Change(status=status, before=old, after=new)
    return found


def _says(part: ComponentSnapshot | ConnectionSnapshot) -> str:
    return canonical(part.as_document())


@dataclass(frozen=True, kw_only=True)
class DiffLine:
    """A line of a diff; ``sign`` is ``+``, ``-``, a space, or ``…`` where lines are left out."""

    sign: str
    text: str


def diff(change: Change) -> list[DiffLine]:
    """Compare how both sides are written, line by line, with three lines around."""
    compared = line_diff(_written(change.before), _written(change.after))
    near = _near_changes([sign for sign, _ in compared])
    lines: list[DiffLine] = []
    left_out = False
    for (sign, text), is_near in zip(compared, near, strict=True):
        if not is_near:
            left_out = bool(lines)
            continue
        if left_out:
            lines.append(DiffLine(sign="…", text=""))
            left_out = False
        lines.append(DiffLine(sign=sign, text=text))
        if len(lines) > MAX_LINES:
            more = sum(near) - MAX_LINES
            words = f"The difference is too large to be shown as a whole: {more:,} more lines."
            return [*lines[:MAX_LINES], DiffLine(sign="…", text=words)]
    return lines


def _near_changes(signs: Sequence[str]) -> list[bool]:
    """Tell of each line whether it changed, or is close to one that did."""
    near = [False] * len(signs)
    until = -1  # of the lines after a change
    for number, sign in enumerate(signs):
        if sign != " ":
            first = max(until + 1, number - AROUND)
            near[first:number] = [True] * (number - first)
            until = number + AROUND
        near[number] = near[number] or number <= until
    return near


def _written(part: ComponentSnapshot | ConnectionSnapshot | None) -> list[str]:
    if part is None:
        return []
    lines = json.dumps(part.as_document(), indent=2, ensure_ascii=False).splitlines()
    # Else the line before one that was added would count as changed for its comma.
    return [line.removesuffix(",") for line in lines]
