"""The changes on the page *Publish to Stage*, grouped by kind and narrowed by a search."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from console.choices import ComponentKind
from console.publishing.manifest_diff import Change
from console.publishing.selection import Selection

#: Up to this number of changes, all groups are open.
MAX_OPEN = 20


@dataclass(frozen=True, kw_only=True)
class ChangeChoice:
    """A change that can be ticked; it is locked while the components in ``needed_by`` need it."""

    link_name: str
    change: Change
    is_ticked: bool
    needed_by: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ChangeGroup:
    """The changes of components of one kind, as far as the search shows them."""

    kind: ComponentKind
    choices: tuple[ChangeChoice, ...]
    ticked: int
    is_open: bool


@dataclass(frozen=True, kw_only=True)
class Choices:
    """All groups, and the ticked changes that the search hides."""

    groups: tuple[ChangeGroup, ...]
    hidden: tuple[str, ...]
    total: int

    @property
    def shown(self) -> set[str]:
        """Return the link names of the changes that are shown."""
        return {choice.link_name for group in self.groups for choice in group.choices}


def choices_of(
    selection: Selection, *, q: str = "", only: Collection[str] | None = None
) -> Choices:
    """Group the changes; ``q`` searches names, and ``only`` holds link names to show."""
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
    return Choices(
        groups=tuple(
            ChangeGroup(
                kind=kind,
                choices=tuple(groups[kind]),
                ticked=(ticked := sum(choice.is_ticked for choice in groups[kind])),
                is_open=is_open or ticked > 0,
            )
            for kind in ComponentKind
            if kind in groups
        ),
        hidden=tuple(hidden),
        total=len(found),
    )
