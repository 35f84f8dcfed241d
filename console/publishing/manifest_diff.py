"""Compare two manifests: what was added, modified or deleted, each with a line diff."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connections.models.snapshot import ConnectionSnapshot
from console.choices import ComponentKind
from console.publishing.line_diff import line_diff
from console.publishing.manifest import ComponentSnapshot, Manifest, canonical_json

#: The most lines that a page shows of one diff, and the unchanged lines around each change.
MAX_LINES = 2_000
CONTEXT_LINES = 3


class ChangeStatus(StrEnum):
    """What happened to a component or connection."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"

    @property
    def label(self) -> str:
        return self.value.capitalize()


@dataclass(frozen=True, kw_only=True)
class Change:
    """A component or connection that differs between two manifests.

    ``changed_connections`` is set for a component whose own definition did not change: it names
    the connections it calls that did.
    """

    status: ChangeStatus
    before: ComponentSnapshot | ConnectionSnapshot | None
    after: ComponentSnapshot | ConnectionSnapshot | None
    changed_connections: tuple[str, ...] = ()

    @property
    def item(self) -> Any:
        """Return the component or connection: the new state, or the old one if it was deleted."""
        return self.after or self.before

    @property
    def kind(self) -> str:
        """Return the kind as shown on screen, such as “Function” or “Connection”."""
        return (
            ComponentKind(self.item.kind).label
            if isinstance(self.item, ComponentSnapshot)
            else "Connection"
        )

    @property
    def notes(self) -> list[str]:
        """Return sentences about a new name and about permissions that changed."""
        if not (self.before and self.after):
            return []
        notes = []
        if self.before.name != self.after.name:
            notes.append(f"Renamed from {self.before.name}.")
        if isinstance(self.before, ConnectionSnapshot) and isinstance(
            self.after, ConnectionSnapshot
        ):
            old, new = self.before.scopes_asked, self.after.scopes_asked
            if added := [scope for scope in new if scope not in old]:
                notes.append(f"Now also asks for {', '.join(added)}.")
            if removed := [scope for scope in old if scope not in new]:
                notes.append(f"No longer asks for {', '.join(removed)}.")
        return notes


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The components and connections that differ, by link name and in that order."""

    components: Mapping[str, Change]
    connections: Mapping[str, Change]

    def __bool__(self) -> bool:
        return bool(self.components or self.connections)


def changes(before: Manifest, after: Manifest) -> Changes:
    """Compare two manifests.

    A component also counts as modified if a connection that it calls has changed.
    """
    connections = _changes(before.connections, after.connections)
    components = _changes(before.components, after.components)
    for link_name, component in after.components.items():
        changed = tuple(name for name in component.reached.connections if name in connections)
        if changed and link_name not in components:
            components[link_name] = Change(
                status=ChangeStatus.MODIFIED,
                before=before.components[link_name],
                after=component,
                changed_connections=changed,
            )
    return Changes(
        components=dict(sorted(components.items())), connections=dict(sorted(connections.items()))
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Change]:
    found = {}
    for link_name in sorted(before.keys() | after.keys()):
        old, new = before.get(link_name), after.get(link_name)
        if old and new and (old is new or _canonical(old) == _canonical(new)):
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


def _canonical(part: ComponentSnapshot | ConnectionSnapshot) -> str:
    return canonical_json(part.as_document())


@dataclass(frozen=True, kw_only=True)
class DiffLine:
    """A line of a diff; ``sign`` is ``+``, ``-``, a space, or ``…`` where lines are left out."""

    sign: str
    text: str


def diff(change: Change) -> list[DiffLine]:
    """Compare both sides as indented JSON, with some unchanged lines around each change."""
    compared = line_diff(_json_lines(change.before), _json_lines(change.after))
    near = _near_changes([sign for sign, _ in compared])
    lines: list[DiffLine] = []
    has_gap = False
    for (sign, text), is_near in zip(compared, near, strict=True):
        if not is_near:
            has_gap = bool(lines)
            continue
        if has_gap:
            lines.append(DiffLine(sign="…", text=""))
            has_gap = False
        lines.append(DiffLine(sign=sign, text=text))
        if len(lines) > MAX_LINES:
            more = sum(near) - MAX_LINES
            words = f"The diff is too long to show in full: {more:,} more lines."
            return [*lines[:MAX_LINES], DiffLine(sign="…", text=words)]
    return lines


def _near_changes(signs: Sequence[str]) -> list[bool]:
    """Tell for each line whether it changed or is close to a line that did."""
    near = [False] * len(signs)
    until = -1  # the last line after a change that is shown
    for number, sign in enumerate(signs):
        if sign != " ":
            first = max(until + 1, number - CONTEXT_LINES)
            near[first:number] = [True] * (number - first)
            until = number + CONTEXT_LINES
        near[number] = near[number] or number <= until
    return near


def _json_lines(part: ComponentSnapshot | ConnectionSnapshot | None) -> list[str]:
    if part is None:
        return []
    lines = json.dumps(part.as_document(), indent=2, ensure_ascii=False).splitlines()
    # Without this, the line before an added line would differ by its comma.
    return [line.removesuffix(",") for line in lines]
