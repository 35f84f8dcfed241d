"""What goes to Stage when some changes are ticked: they, what they need, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from connections.models.snapshot import ConnectionSnapshot
from console.choices import ComponentKind
from console.publishing.manifest import ComponentSnapshot, Manifest
from console.publishing.manifest_diff import Change, Changes, ChangeStatus, changes


class Inconsistent(Exception):
    """What would stand in Stage names something that would not: nothing may be published."""


@dataclass(frozen=True, kw_only=True)
class RequiredChange:
    """A changed connection: it goes with the components that reference it, or not at all."""

    change: Change
    goes: bool
    why: str


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Some ticked changes, and Stage as they would make it.

    ``ticked`` holds what was wanted and what that needs; ``needed_by`` maps what was ticked
    by itself to the names of those that need it.
    """

    changes: Changes
    ticked: frozenset[str]
    needed_by: Mapping[str, tuple[str, ...]]
    passengers: Mapping[str, RequiredChange]
    result: Manifest


def select(stage: Manifest, development: Manifest, wanted: Iterable[str]) -> Selection:
    """Tick these changes of Development; unticked ones stay behind, whatever they are.

    A component that is ticked brings the functions that it runs and the connections that it
    calls. A function that goes takes along the change of whatever still runs it in Stage.
    What is not a change is not ticked. Raise :class:`Inconsistent` rather than give a
    result in which a name leads nowhere.
    """
    found = changes(stage, development)
    ticked, needed_by = _with_dependencies(stage, development, found, wanted)
    components = dict(stage.components)
    for name in ticked:
        if name in development.components:
            components[name] = development.components[name]
        else:
            del components[name]
    moving = _called(components[name] for name in ticked & components.keys())
    used = _called(components.values())
    result = replace(
        development,
        components=dict(sorted(components.items())),
        connections={
            name: snapshot
            for name in sorted(used)
            if (snapshot := _standing(name, moving, stage, development))
        },
    )
    if lost := result.unresolved():
        raise Inconsistent(" and ".join(f"{part} names {name}" for part, name in lost[:5]))
    return Selection(
        changes=found,
        ticked=frozenset(ticked),
        needed_by=needed_by,
        passengers=_passengers(stage, development, found, result, ticked),
        result=result,
    )


def _called(parts: Iterable[ComponentSnapshot]) -> set[str]:
    return {name for part in parts for name in part.reached.connections}


def _standing(
    name: str, moving: set[str], stage: Manifest, development: Manifest
) -> ConnectionSnapshot | None:
    old, new = stage.connections.get(name), development.connections.get(name)
    return new if name in moving or old is None else old


def _with_dependencies(
    stage: Manifest, development: Manifest, found: Changes, wanted: Iterable[str]
) -> tuple[set[str], dict[str, tuple[str, ...]]]:
    runners: dict[str, list[str]] = {}
    for part in stage.components.values():
        for function in part.reached.functions:
            runners.setdefault(function, []).append(part.link_name)
    ticked = {name for name in wanted if name in found.components}
    needed_by: dict[str, tuple[str, ...]] = {}
    waiting = sorted(ticked)
    while waiting:
        name = waiting.pop()
        change = found.components[name]
        here = development.components.get(name)
        needs = list(here.reached.functions) if here else []
        if here is None or here.kind != ComponentKind.FUNCTION:
            needs += runners.get(name, [])
        for other in needs:
            if other not in found.components:
                continue
            needed_by[other] = (*needed_by.get(other, ()), change.part.name)
            if other not in ticked:
                ticked.add(other)
                waiting.append(other)
    return ticked, needed_by


def _passengers(
    stage: Manifest,
    development: Manifest,
    found: Changes,
    result: Manifest,
    ticked: set[str],
) -> dict[str, RequiredChange]:
    users: dict[str, list[str]] = {}
    for part in development.components.values():
        for name in part.reached.connections:
            users.setdefault(name, []).append(part.link_name)
    passengers = {}
    for name, change in found.connections.items():
        if change.status is ChangeStatus.DELETED:
            continue
        going = [user for user in users.get(name, ()) if user in ticked]
        passengers[name] = RequiredChange(
            change=change,
            goes=bool(going),
            why=_why(development, going, users.get(name, [])),
        )
    for name, snapshot in stage.connections.items():
        if name not in result.connections:
            passengers[name] = RequiredChange(
                change=Change(status=ChangeStatus.DELETED, before=snapshot, after=None),
                goes=True,
                why="Nothing in Stage references it any more, so it leaves Stage.",
            )
    return dict(sorted(passengers.items()))


def _why(development: Manifest, going: list[str], users: list[str]) -> str:
    def named(link_names: list[str]) -> list[str]:
        names = [development.components[link_name].name for link_name in link_names]
        return names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]

    if going:
        return f"It goes along, because {_joined(named(going), 'and')} {_verb(going)} it."
    if users:
        return f"It stays behind: it goes only with {_joined(named(users), 'or')}."
    return (
        "It cannot go: no component references it. Call it in a component, and it goes along "
        "with that."
    )


def _verb(subjects: list[str]) -> str:
    return "references" if len(subjects) == 1 else "reference"


def _joined(words: list[str], conjunction: str) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
