"""The boxes of an application's map: components that call, the connections they call, groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from django.urls import reverse

from connections.authorizations.connection_state import ConnectionState
from connections.models.state_badge import STATES, URGENCY
from console.choices import ComponentKind, Environment
from console.publishing.manifest import ComponentSnapshot, Manifest
from console.publishing.map_choices import MapChoices

#: Up to this number, each component and each connection has its own box.
MAX_SINGLE = 14
MAX_LABEL_LENGTH = 42
#: The connections that each component calls: True where only a function calls it.
Calls = Mapping[str, Mapping[str, bool]]
Row = TypeVar("Row")


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
    """A box on the left: one component, or several that share a box."""

    label: str
    note: str
    names: tuple[str, ...]  # link names
    titles: tuple[str, ...]
    connections: tuple[str, ...]
    url: str = ""
    key: str = ""  # of a group that can be opened
    opens: str = ""  # the query string that opens the group
    is_found: bool = False
    y: float = 0
    x: int = 1
    width: int = 330
    height: int = 40


@dataclass(frozen=True, kw_only=True)
class MapTarget:
    """A box on the right: a connection, or the connections of one service, and their states."""

    label: str
    names: tuple[str, ...]  # link names
    states: tuple[ConnectionState, ...]
    callers: tuple[str, ...]
    key: str = ""  # of a group that can be opened
    opens: str = ""  # the query string that opens the group
    is_found: bool = False
    y: float = 0
    x: int = 629
    width: int = 330
    height: int = 72

    @property
    def blocks(self) -> bool:
        """Tell whether calls through one of its connections would fail in Stage."""
        return any(s.environment == Environment.STAGE and not s.works for s in self.states)

    @property
    def urgency(self) -> int:
        """Return the position of the most urgent of its states."""
        return min((URGENCY[state.name] for state in self.states), default=len(URGENCY))

    @property
    def url(self) -> str:
        if self.key or not self.states:
            return ""
        return reverse("connection_detail", args=[self.states[0].connection])

    @property
    def rows(self) -> list[MapEnvironment]:
        """Return one line of text for each environment."""
        by_environment: dict[Environment, list[ConnectionState]] = {}
        for state in self.states:
            by_environment.setdefault(state.environment, []).append(state)
        return [
            _row(states, 42 + 18 * number, is_group=bool(self.key))
            for number, states in enumerate(by_environment.values())
        ]


def called(manifest: Manifest) -> dict[str, dict[str, bool]]:
    """Return the connections that each component calls, itself or through a function."""
    found = {}
    for link_name, component in manifest.components.items():
        own = dict.fromkeys(component.reached.connections, False)
        for function in component.reached.functions:
            if function in manifest.components:
                for name in manifest.components[function].reached.connections:
                    own.setdefault(name, True)
        found[link_name] = own
    return found


def callers(
    manifest: Manifest, calls: Calls, urls: Mapping[str, str], choices: MapChoices, found: set[str]
) -> list[MapCaller]:
    """Return the boxes on the left, as the person wants them grouped."""
    calling = [manifest.components[name] for name in calls if calls[name]]
    shared = _by_connections(calling, calls)
    by = choices.by
    if not by:
        by = "kind" if len(shared) > MAX_SINGLE else "connection"
        by = "none" if len(calling) <= MAX_SINGLE else by
    groups = [[component] for component in calling]
    if by == "kind":
        groups = _grouped(calling, lambda each: each.kind)
    elif by == "connection":
        groups = shared
    boxes = []
    for group in groups:
        key = f"{by}:{group[0].kind if by == 'kind' else group[0].link_name}"
        is_closed = len(group) > 1 and key not in choices.opened
        for components in [group] if is_closed else [[each] for each in group]:
            box = _caller(components, calls, urls, found)
            if is_closed:
                box = replace(box, key=key, opens=choices.opening(key))
            boxes.append(box)
    return boxes


def targets(
    manifest: Manifest,
    calls: Calls,
    states: Iterable[Mapping[str, ConnectionState]],
    choices: MapChoices,
    found: set[str],
) -> list[MapTarget]:
    """Return the boxes on the right: many connections are grouped by their service."""
    states = list(states)
    names: dict[str, list[str]] = {}
    for link_name, own in calls.items():
        for name in own:
            names.setdefault(name, []).append(manifest.components[link_name].name)
    shown = list(manifest.connections.values())
    groups = [[each] for each in shown]
    if len(shown) > MAX_SINGLE and choices.by != "none":
        groups = _grouped(shown, lambda each: each.connector)
    boxes = []
    for group in groups:
        key = f"service:{group[0].connector}"
        is_closed = len(group) > 1 and key not in choices.opened
        for each in [group] if is_closed else [[one] for one in group]:
            links = tuple(one.link_name for one in each)
            label = each[0].name
            if is_closed:
                label = f"{each[0].definition.name}: {len(each)} connections"
            boxes.append(
                MapTarget(
                    label=short(label),
                    names=links,
                    states=tuple(
                        known[name] for known in states for name in links if name in known
                    ),
                    callers=tuple(dict.fromkeys(c for name in links for c in names.get(name, ()))),
                    key=key if is_closed else "",
                    opens=choices.opening(key) if is_closed else "",
                    is_found=not found.isdisjoint(links),
                )
            )
    return boxes


def opened_groups(manifest: Manifest, choices: MapChoices) -> list[tuple[str, str]]:
    """Return the keys and the names of the open groups that exist."""
    services = {each.connector: each.definition.name for each in manifest.connections.values()}
    result = []
    for key in choices.opened:
        what, _, value = key.partition(":")
        if what == "service" and value in services:
            result.append((key, services[value]))
        elif what == "kind" and value in ComponentKind.values:
            result.append((key, f"{ComponentKind(value).label}s"))
        elif what == "connection" and value in manifest.components:
            result.append((key, manifest.components[value].name))
    return result


def short(text: str, length: int = MAX_LABEL_LENGTH) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _grouped(rows: Iterable[Row], key: Callable[[Row], object]) -> list[list[Row]]:
    groups: dict[object, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return list(groups.values())


def _by_connections(
    calling: Iterable[ComponentSnapshot], calls: Calls
) -> list[list[ComponentSnapshot]]:
    return _grouped(calling, lambda each: tuple(sorted(calls[each.link_name])))


def _caller(
    components: list[ComponentSnapshot],
    calls: Calls,
    urls: Mapping[str, str],
    found: set[str],
) -> MapCaller:
    kinds = Counter(ComponentKind(component.kind).label.lower() for component in components)
    words = [f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in kinds.most_common()]
    one = len(components) == 1
    names = [component.name for component in components]
    links = tuple(component.link_name for component in components)
    return MapCaller(
        label=short(names[0] if one else ", ".join(words)),
        note=ComponentKind(components[0].kind).label if one else short(f"{', '.join(names[:2])} …"),
        names=links,
        titles=tuple(names),
        connections=tuple(sorted({name for link_name in links for name in calls[link_name]})),
        url=urls.get(links[0], "") if one else "",
        is_found=not found.isdisjoint(links),
    )


def _row(states: list[ConnectionState], y: int, *, is_group: bool) -> MapEnvironment:
    state = min(states, key=lambda each: URGENCY[each.name])
    badge = STATES[state.name]
    words = badge.words[0].lower() + badge.words[1:]
    credential = state.authorization.credential if state.authorization else None
    if is_group:
        working = sum(each.works for each in states)
        words = f"{working} of {len(states)} work{'s' if len(states) == 1 else ''}"
    elif state.works and credential:
        words = f"authorized as {credential.label}"
    text = f"{state.environment.label}: {words}"
    return MapEnvironment(
        sign=badge.sign, tone=f"tone-{badge.tone}", words=text, short=short(text, 50), y=y
    )
