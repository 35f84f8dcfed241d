"""Lay out the map of an application: its components, its connections and the calls between them.

Components are on the left, connections on the right. In a large application, components share
boxes (``map_boxes.py``), so that the picture stays readable and small, whatever the size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from connections.authorizations.connection_state import ConnectionState
from connections.models.snapshot import ConnectionSnapshot
from console.filters import FilterTag
from console.publishing.manifest import ComponentSnapshot, Manifest
from console.publishing.map_boxes import (
    Calls,
    MapCaller,
    MapTarget,
    called,
    callers,
    opened_groups,
    targets,
)
from console.publishing.map_choices import MapChoices

WIDTH = 960
TOP = 28
GAP = 12
MAX_BOXES = 40
#: As many connections are named that do not work.
MAX_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class MapLine:
    """A line from a caller to a connection."""

    path: str
    is_indirect: bool  # the caller runs a function that makes the call
    blocked: bool


@dataclass(frozen=True, kw_only=True)
class ApplicationMap:
    """The whole map; ``height`` is in the same units as the boxes.

    ``blocking`` holds every connection that does not work in Stage, drawn or not, the most
    urgent first.
    """

    callers: tuple[MapCaller, ...]
    targets: tuple[MapTarget, ...]
    lines: tuple[MapLine, ...]
    blocking: tuple[MapTarget, ...]
    tags: tuple[FilterTag, ...]
    choices: MapChoices
    height: float
    without_calls: int  # components that call no connection
    omitted: int  # boxes beyond the limit, which are not drawn
    width: int = WIDTH

    @property
    def named(self) -> tuple[MapTarget, ...]:
        """Return the first of the connections that do not work in Stage."""
        return self.blocking[:MAX_NAMED]

    @property
    def unnamed(self) -> int:
        """Count the others."""
        return len(self.blocking) - len(self.named)

    @property
    def is_empty(self) -> bool:
        return not (self.callers or self.targets)

    @property
    def shown_width(self) -> str:
        """Return the width of the picture in the page."""
        return "100%" if self.choices.zoom == "fit" else str(WIDTH * int(self.choices.zoom) // 100)


def draw(
    manifest: Manifest,
    states: Iterable[Mapping[str, ConnectionState]],
    urls: Mapping[str, str],
    choices: MapChoices | None = None,
) -> ApplicationMap:
    """Lay out the map; ``states`` holds the states of the connections, one mapping per environment.

    ``urls`` maps a component's link name to its page.
    """
    choices, states = choices or MapChoices(), list(states)
    calls = called(manifest)
    singly = MapChoices(by="none")
    everything = targets(manifest, calls, states, singly, set())
    blocking = sorted((t for t in everything if t.blocks), key=lambda t: t.urgency)
    without_calls = sum(not own for own in calls.values())
    found: set[str] = set()
    shown = manifest
    shown_calls: Calls = calls
    if choices.find:
        shown, shown_calls, found = _around(manifest, calls, choices.find)
    left = callers(shown, shown_calls, urls, choices, found)
    right = targets(shown, shown_calls, states, choices, found)
    order = {name: index for index, name in enumerate(shown.connections)}
    left.sort(key=lambda c: (_middle(c, order), c.label.casefold()))
    placed_left, placed_right, height = _place(left[:MAX_BOXES], right[:MAX_BOXES])
    return ApplicationMap(
        callers=tuple(placed_left),
        targets=tuple(placed_right),
        lines=tuple(_lines(placed_left, placed_right, manifest)),
        blocking=tuple(blocking),
        tags=tuple(choices.tags(opened_groups(manifest, choices))),
        choices=choices,
        height=height,
        without_calls=without_calls,
        omitted=len(left) + len(right) - len(placed_left) - len(placed_right),
    )


def _around(manifest: Manifest, calls: Calls, find: str) -> tuple[Manifest, Calls, set[str]]:
    """Keep what has these words in its name, who calls it, and what it calls."""
    words = find.casefold()

    def matches(row: ComponentSnapshot | ConnectionSnapshot) -> bool:
        return words in row.name.casefold() or words in row.link_name.casefold()

    components = {name for name, row in manifest.components.items() if matches(row)}
    connections = {name for name, row in manifest.connections.items() if matches(row)}
    kept = {
        name: own
        for name, own in calls.items()
        if name in components or not connections.isdisjoint(own)
    }
    reached = connections | {name for each in components for name in calls[each]}
    narrowed = replace(
        manifest,
        connections={n: row for n, row in manifest.connections.items() if n in reached},
    )
    return narrowed, kept, components | connections


def _place(
    left: list[MapCaller], right: list[MapTarget]
) -> tuple[list[MapCaller], list[MapTarget], float]:
    """Give each box its place; return the height of the map too."""
    placed_right, y = [], float(TOP)
    for target in right:
        placed_right.append(replace(target, y=y))
        y += target.height + GAP
    bottom, placed_left, y = y, [], float(TOP)
    least = MapCaller.height + GAP
    step = max(least, (bottom - TOP) / max(len(left), 1))
    for caller in left:
        placed_left.append(replace(caller, y=y + (step - least) / 2))
        y += step
    return placed_left, placed_right, max(y, bottom)


def _lines(left: list[MapCaller], right: list[MapTarget], manifest: Manifest) -> Iterable[MapLine]:
    place = {name: target for target in right for name in target.names}
    for caller in left:
        direct = {
            name
            for link_name in caller.names
            for name in manifest.components[link_name].reached.connections
        }
        reached: dict[float, tuple[MapTarget, bool]] = {}
        for name in caller.connections:
            if target := place.get(name):
                _, was_direct = reached.get(target.y, (target, False))
                reached[target.y] = target, was_direct or name in direct
        for target, is_direct in reached.values():
            x1, y1 = caller.x + caller.width, caller.y + caller.height / 2
            x2, y2 = target.x, target.y + target.height / 2
            bend = (x2 - x1) / 2
            yield MapLine(
                path=f"M{x1} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2} {y2:g}",
                is_indirect=not is_direct,
                blocked=target.blocks,
            )


def _middle(caller: MapCaller, order: Mapping[str, int]) -> float:
    places = [order[name] for name in caller.connections if name in order]
    return sum(places) / len(places) if places else len(order)
