"""The changes on the page *Publish to Stage*, grouped by kind and narrowed by a search."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from console.choices import ComponentKind
from console.publishing.manifest_diff import Change
from console.publishing.selection import Selection

#: Up to this number of changes, all groups are open.
MAX_OPEN = 20
#: The rows of a group, until a person asks for all of them.
MAX_ROWS = 30


@dataclass(frozen=True, kw_only=True)
class ChangeChoice:
    """A change that can be ticked; it is locked while the components in ``needed_by`` need it."""

    link_name: str
    change: Change
    is_ticked: bool
    needed_by: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ChangeGroup:
    """The changes of components of one kind, as far as the search finds them.

    ``choices`` are the rows to show, of ``total`` ones.
    """

    kind: ComponentKind
    choices: tuple[ChangeChoice, ...]
    total: int
    ticked: int
    is_open: bool


@dataclass(frozen=True, kw_only=True)
class Choices:
    """All groups, the ticked changes without a row, and all changes that the search finds."""

    groups: tuple[ChangeGroup, ...]
    hidden: tuple[str, ...]
    found: frozenset[str]
    total: int


def choices_of(
    selection: Selection,
    *,
    q: str = "",
    only: Collection[str] | None = None,
    whole: Collection[str] = (),
) -> Choices:
    """Group the changes; ``q`` searches names, and ``only`` holds link names to show.

    Of kinds in ``whole`` all rows are shown.
    """
    words = q.casefold().split()
    groups: dict[str, list[ChangeChoice]] = {}
    hidden = []
    found = selection.changes.components
    for link_name, change in found.items():
        text = f"{change.item.name} {link_name}".casefold()
        is_shown = all(word in text for word in words) and (only is None or link_name in only)
        needed_by = selection.needed_by.get(link_name, ())
        if is_shown:
            groups.setdefault(change.item.kind, []).append(
                ChangeChoice(
                    link_name=link_name,
                    change=change,
                    is_ticked=link_name in selection.ticked,
                    needed_by=needed_by,
                )
            )
        elif link_name in selection.ticked and not needed_by:
            hidden.append(link_name)
    is_open = bool(words) or only is not None or len(found) <= MAX_OPEN
    shown = {kind: rows if kind in whole else _first(rows) for kind, rows in groups.items()}
    for kind, rows in groups.items():
        without_row = {c.link_name for c in rows} - {c.link_name for c in shown[kind]}
        hidden += [
            c.link_name
            for c in rows
            if c.link_name in without_row and c.is_ticked and not c.needed_by
        ]
    return Choices(
        groups=tuple(
            ChangeGroup(
                kind=kind,
                choices=tuple(shown[kind]),
                total=len(groups[kind]),
                ticked=(ticked := sum(choice.is_ticked for choice in groups[kind])),
                is_open=is_open or ticked > 0 or kind in whole,
            )
            for kind in ComponentKind
            if kind in groups
        ),
        hidden=tuple(hidden),
        found=frozenset(choice.link_name for rows in groups.values() for choice in rows),
        total=len(found),
    )


def _first(rows: list[ChangeChoice]) -> list[ChangeChoice]:
    """Return the rows of one screen, in their order; ticked ones are preferred."""
    if len(rows) <= MAX_ROWS:
        return rows
    ticked = sum(choice.is_ticked for choice in rows)
    others = max(0, MAX_ROWS - ticked)
    kept = []
    for choice in rows:
        if choice.is_ticked:
            kept.append(choice)
        elif others:
            kept.append(choice)
            others -= 1
    return kept[:MAX_ROWS]
