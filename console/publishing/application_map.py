"""Lay out the map of an application: its components, its connections and the calls between them.

Components are on the left, connections on the right. In a large application, components that
call the same connections share one box, so that the map stays readable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.urls import reverse

from connections.authorizations.connection_state import ConnectionState
from connections.models.state_badge import STATES, URGENCY
from console.choices import ComponentKind, Environment
from console.publishing.manifest import ComponentSnapshot, Manifest

WIDTH = 960
BOX_WIDTH = 330
TOP = 28
GAP = 12
CALLER_HEIGHT = 40
CONNECTION_HEIGHT = 72
#: Up to this number of calling components, each has its own box.
MAX_SINGLE = 14
MAX_BOXES = 40
MAX_LABEL_LENGTH = 42
#: As many connections are named that do not work.
MAX_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class MapEnvironment:
    """The state of a connection in one environment; ``y`` is relative to the top of its box."""

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
    """A box on the right: a connection and its state in each environment."""

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
        """Tell whether calls through this connection would fail in Stage."""
        return any(s.environment == Environment.STAGE and not s.works for s in self.states)

    @property
    def urgency(self) -> int:
        """Return the position of the most urgent of its states."""
        return min(URGENCY[state.name] for state in self.states)

    @property
    def url(self) -> str:
        return reverse("connection_detail", args=[self.states[0].connection])

    @property
    def rows(self) -> list[MapEnvironment]:
        """Return one line of text for each environment."""
        rows = []
        for number, state in enumerate(self.states):
            badge = STATES[state.name]
            words = badge.words[0].lower() + badge.words[1:]
            credential = state.authorization.credential if state.authorization else None
            if state.works and credential:
                words = f"authorized as {credential.label}"
            text = f"{state.environment.label}: {words}"
            rows.append(
                MapEnvironment(
                    sign=badge.sign,
                    tone=f"tone-{badge.tone}",
                    words=text,
                    short=_short(text, 50),
                    y=42 + 18 * number,
                )
            )
        return rows


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


def draw(
    manifest: Manifest,
    states: Iterable[Mapping[str, ConnectionState]],
    urls: Mapping[str, str],
) -> ApplicationMap:
    """Lay out the map; ``states`` holds the states of the connections, one mapping per environment.

    ``urls`` maps a component's link name to its page.
    """
    calls = {name: _called(component, manifest) for name, component in manifest.components.items()}
    order = {name: index for index, name in enumerate(manifest.connections)}
    callers = _callers(manifest, calls, urls)
    callers.sort(key=lambda c: (_middle(c, order), c.label.casefold()))
    drawn, targets, y = callers[:MAX_BOXES], _targets(manifest, calls, list(states)), float(TOP)
    blocking = sorted((t for t in targets if t.blocks), key=lambda t: t.urgency)
    shown = []
    for target in targets[:MAX_BOXES]:
        shown.append(replace(target, y=y))
        y += CONNECTION_HEIGHT + GAP
    right = y
    placed, y = [], float(TOP)
    step = max(CALLER_HEIGHT + GAP, (right - TOP) / max(len(drawn), 1))
    for caller in drawn:
        placed.append(replace(caller, y=y + (step - GAP - CALLER_HEIGHT) / 2))
        y += step
    return ApplicationMap(
        callers=tuple(placed),
        targets=tuple(shown),
        lines=tuple(_lines(placed, shown, manifest)),
        blocking=tuple(blocking),
        height=max(y, right),
        without_calls=sum(not called for called in calls.values()),
        omitted=len(callers) - len(drawn) + len(targets) - len(shown),
    )


def _targets(
    manifest: Manifest,
    calls: Mapping[str, Mapping[str, bool]],
    states: Iterable[Mapping[str, ConnectionState]],
) -> list[MapTarget]:
    callers: dict[str, list[str]] = {}
    for link_name, called in calls.items():
        for name in called:
            callers.setdefault(name, []).append(manifest.components[link_name].name)
    return [
        MapTarget(
            label=_short(snapshot.name),
            link_name=name,
            states=tuple(known[name] for known in states if name in known),
            callers=tuple(callers.get(name, ())),
        )
        for name, snapshot in manifest.connections.items()
    ]


def _called(component: ComponentSnapshot, manifest: Manifest) -> dict[str, bool]:
    """Return the connections that a component calls: True where only a function calls it."""
    found = dict.fromkeys(component.reached.connections, False)
    for function in component.reached.functions:
        if function in manifest.components:
            for name in manifest.components[function].reached.connections:
                found.setdefault(name, True)
    return found


def _callers(
    manifest: Manifest, calls: Mapping[str, Mapping[str, bool]], urls: Mapping[str, str]
) -> list[MapCaller]:
    calling = [
        component for component in manifest.components.values() if calls[component.link_name]
    ]
    if len(calling) <= MAX_SINGLE:
        return [
            _group([component], tuple(sorted(calls[component.link_name])), urls)
            for component in calling
        ]
    groups: dict[tuple[str, ...], list[ComponentSnapshot]] = {}
    for component in calling:
        groups.setdefault(tuple(sorted(calls[component.link_name])), []).append(component)
    return [_group(components, connections, urls) for connections, components in groups.items()]


def _group(
    components: list[ComponentSnapshot], connections: tuple[str, ...], urls: Mapping[str, str]
) -> MapCaller:
    kinds = Counter(ComponentKind(component.kind).label.lower() for component in components)
    words = [f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in kinds.most_common()]
    one = len(components) == 1
    names = [component.name for component in components]
    return MapCaller(
        label=_short(names[0] if one else ", ".join(words)),
        note=ComponentKind(components[0].kind).label
        if one
        else _short(f"{', '.join(names[:2])} …"),
        names=tuple(component.link_name for component in components),
        titles=tuple(names),
        connections=connections,
        url=urls.get(components[0].link_name, "") if one else "",
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
                is_indirect=not any(
                    name in manifest.components[other].reached.connections for other in caller.names
                ),
                blocked=target.blocks,
            )


def _middle(caller: MapCaller, order: Mapping[str, int]) -> float:
    places = [order[name] for name in caller.connections if name in order]
    return sum(places) / len(places) if places else len(order)


def _short(text: str, length: int = MAX_LABEL_LENGTH) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
