"""The map of an application: what calls what, and where it can. Plain numbers for a drawing.

Components stand on the left, connections on the right. In a large application those that
call the same connections are drawn as one box, so that the map stays a map.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.urls import reverse

from connections.authorizations.connection_state import ConnectionState
from console.choices import ComponentKind, Environment
from console.publishing.manifest import ComponentSnapshot, Manifest

WIDTH = 960
BOX_WIDTH = 330
TOP = 28
GAP = 12
CALLER_HEIGHT = 40
CONNECTION_HEIGHT = 72
#: Up to here every component has a box of its own.
MAX_SINGLE = 14
MAX_BOXES = 40
LETTERS = 42


#: State to sign, color and words: each alone says enough.
SIGNS: Mapping[str, tuple[str, str, str]] = {
    "active": ("✓", "tone-green", "authorized"),
    "expiring": ("◷", "tone-amber", "expires soon"),
    "permissions_missing": ("!", "tone-amber", "permissions missing"),
    "unknown_outcome": ("?", "tone-amber", "outcome unknown"),
    "needs_authorization": ("✕", "tone-red", "not authorized"),
    "revoked": ("⊘", "tone-grey", "revoked"),
}


@dataclass(frozen=True, kw_only=True)
class MapEnvironment:
    """How a connection is in one environment; ``y`` is counted from the top of its box."""

    sign: str
    tone: str
    words: str
    short: str
    y: int


@dataclass(frozen=True, kw_only=True)
class MapCaller:
    """A box on the left: one component, or several that call the same connections."""

    label: str
    note: str
    names: tuple[str, ...]  # link names
    titles: tuple[str, ...]
    connections: tuple[str, ...]
    url: str
    y: float = 0
    x: int = 1
    width: int = BOX_WIDTH
    height: int = CALLER_HEIGHT


@dataclass(frozen=True, kw_only=True)
class MapTarget:
    """A box on the right: a connection, and how it is in each environment."""

    label: str
    link_name: str
    states: tuple[ConnectionState, ...]
    callers: tuple[str, ...]
    y: float = 0
    x: int = WIDTH - BOX_WIDTH - 1
    width: int = BOX_WIDTH
    height: int = CONNECTION_HEIGHT

    @property
    def blocks(self) -> bool:
        """Tell whether what calls it would not work in Stage."""
        return any(s.environment == Environment.STAGE and not s.works for s in self.states)

    @property
    def url(self) -> str:
        return reverse("connection_detail", args=[self.states[0].connection])

    @property
    def rows(self) -> list[MapEnvironment]:
        """Say how it is in each environment."""
        rows = []
        for number, state in enumerate(self.states):
            sign, tone, words = SIGNS[state.name]
            credential = state.authorization.credential if state.authorization else None
            if state.works and credential:
                words = f"authorized as {credential.label}"
            said = f"{state.environment.label}: {words}"
            rows.append(
                MapEnvironment(
                    sign=sign, tone=tone, words=said, short=_short(said, 50), y=42 + 18 * number
                )
            )
        return rows


@dataclass(frozen=True, kw_only=True)
class MapLine:
    """A line from a caller to a connection."""

    path: str
    through: bool  # it calls a function that calls it
    blocked: bool


@dataclass(frozen=True, kw_only=True)
class ApplicationMap:
    """All that is drawn; ``height`` is in the units of the boxes."""

    callers: tuple[MapCaller, ...]
    targets: tuple[MapTarget, ...]
    lines: tuple[MapLine, ...]
    height: float
    silent: int  # components that call nothing
    left_out: int  # boxes that are not drawn
    width: int = WIDTH

    @property
    def blocking(self) -> list[MapTarget]:
        return [target for target in self.targets if target.blocks]


def draw(
    manifest: Manifest,
    states: Iterable[Mapping[str, ConnectionState]],
    addresses: Mapping[str, str],
) -> ApplicationMap:
    """Lay out the map; ``states`` are those of the connections, an environment each.

    ``addresses`` maps a component's link name to its page.
    """
    calls = {name: _called(part, manifest) for name, part in manifest.components.items()}
    order = {name: index for index, name in enumerate(manifest.connections)}
    callers = _callers(manifest, calls, addresses)
    callers.sort(key=lambda c: (_middle(c, order), c.label.casefold()))
    drawn, targets, y = callers[:MAX_BOXES], [], float(TOP)
    by_environment = list(states)
    for name, snapshot in list(manifest.connections.items())[:MAX_BOXES]:
        targets.append(
            MapTarget(
                label=_short(snapshot.name),
                link_name=name,
                states=tuple(known[name] for known in by_environment if name in known),
                callers=tuple(
                    manifest.components[other].name for other, to in calls.items() if name in to
                ),
                y=y,
            )
        )
        y += CONNECTION_HEIGHT + GAP
    right = y
    placed, y = [], float(TOP)
    step = max(CALLER_HEIGHT + GAP, (right - TOP) / max(len(drawn), 1))
    for caller in drawn:
        placed.append(replace(caller, y=y + (step - GAP - CALLER_HEIGHT) / 2))
        y += step
    return ApplicationMap(
        callers=tuple(placed),
        targets=tuple(targets),
        lines=tuple(_lines(placed, targets, manifest)),
        height=max(y, right),
        silent=sum(not called for called in calls.values()),
        left_out=len(callers) - len(drawn) + len(manifest.connections) - len(targets),
    )


def _called(part: ComponentSnapshot, manifest: Manifest) -> dict[str, bool]:
    """Map the connections that a component reaches to whether only a function does it for it."""
    found = dict.fromkeys(part.reached.connections, False)
    for function in part.reached.functions:
        if function in manifest.components:
            for name in manifest.components[function].reached.connections:
                found.setdefault(name, True)
    return found


def _callers(
    manifest: Manifest, calls: Mapping[str, Mapping[str, bool]], addresses: Mapping[str, str]
) -> list[MapCaller]:
    calling = [part for part in manifest.components.values() if calls[part.link_name]]
    if len(calling) <= MAX_SINGLE:
        return [_group([part], tuple(sorted(calls[part.link_name])), addresses) for part in calling]
    groups: dict[tuple[str, ...], list[ComponentSnapshot]] = {}
    for part in calling:
        groups.setdefault(tuple(sorted(calls[part.link_name])), []).append(part)
    return [_group(parts, connections, addresses) for connections, parts in groups.items()]


def _group(
    parts: list[ComponentSnapshot], connections: tuple[str, ...], addresses: Mapping[str, str]
) -> MapCaller:
    kinds = Counter(ComponentKind(part.kind).label.lower() for part in parts)
    words = [f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in kinds.most_common()]
    one = len(parts) == 1
    names = [part.name for part in parts]
    return MapCaller(
        label=_short(names[0] if one else ", ".join(words)),
        note=ComponentKind(parts[0].kind).label if one else _short(f"{', '.join(names[:2])} …"),
        names=tuple(part.link_name for part in parts),
        titles=tuple(names),
        connections=connections,
        url=addresses.get(parts[0].link_name, "") if one else "",
    )


def _lines(
    callers: list[MapCaller], targets: list[MapTarget], manifest: Manifest
) -> Iterable[MapLine]:
    place = {target.link_name: target for target in targets}
    for caller in callers:
        for name in caller.connections:
            if not (target := place.get(name)):
                continue
            x1, y1 = caller.x + BOX_WIDTH, caller.y + CALLER_HEIGHT / 2
            x2, y2 = target.x, target.y + CONNECTION_HEIGHT / 2
            bend = (x2 - x1) / 2
            yield MapLine(
                path=f"M{x1} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2} {y2:g}",
                through=not any(
                    name in manifest.components[other].reached.connections for other in caller.names
                ),
                blocked=target.blocks,
            )


def _middle(caller: MapCaller, order: Mapping[str, int]) -> float:
    places = [order[name] for name in caller.connections if name in order]
    return sum(places) / len(places) if places else len(order)


def _short(words: str, letters: int = LETTERS) -> str:
    return words if len(words) <= letters else f"{words[: letters - 1].rstrip()}…"
