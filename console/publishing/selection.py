"""Work out what publishing the ticked changes puts into Stage: these changes and what they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from connections.models.snapshot import ConnectionSnapshot
from console.choices import ComponentKind
from console.publishing.manifest import ComponentSnapshot, Manifest
from console.publishing.manifest_diff import Change, Changes, ChangeStatus, changes


class UnresolvedReference(Exception):
    """A component would reference something that is not in Stage; nothing may be published."""


@dataclass(frozen=True, kw_only=True)
class ConnectionChange:
    """A changed connection; it is published only with components that reference it."""

    change: Change
    is_included: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The ticked changes, and Stage as it would be after publishing them.

    ``ticked`` holds the requested changes and their dependencies. ``needed_by`` maps each change
    that was ticked automatically to the names of the components that need it.
    """

    changes: Changes
    ticked: frozenset[str]
    needed_by: Mapping[str, tuple[str, ...]]
    connection_changes: Mapping[str, ConnectionChange]
    result: Manifest


def select(stage: Manifest, development: Manifest, wanted: Iterable[str]) -> Selection:
    """Apply the ``wanted`` changes of Development to Stage; all other changes are left out.

    A ticked component includes the functions that it runs and the connections that it calls.
    If a function is deleted, the change of every component that still runs it in Stage is
    included. Names that are not changes are ignored. Raise :class:`UnresolvedReference` if the
    result would reference something that it does not hold.
    """
    found = changes(stage, development)
    ticked, needed_by = _with_dependencies(stage, development, found, wanted)
    components = dict(stage.components)
    for name in ticked:
        if name in development.components:
            components[name] = development.components[name]
        else:
            del components[name]
    published = _called(components[name] for name in ticked & components.keys())
    used = _called(components.values())
    result = replace(
        development,
        components=dict(sorted(components.items())),
        connections={
            name: snapshot
            for name in sorted(used)
            if (snapshot := _snapshot_for(name, published, stage, development))
        },
    )
    if missing := result.unresolved():
        raise UnresolvedReference(
            " and ".join(f"{component} references {name}" for component, name in missing[:5])
        )
    return Selection(
        changes=found,
        ticked=frozenset(ticked),
        needed_by=needed_by,
        connection_changes=_connection_changes(stage, development, found, result, ticked),
        result=result,
    )


def _called(components: Iterable[ComponentSnapshot]) -> set[str]:
    return {name for component in components for name in component.reached.connections}


def _snapshot_for(
    name: str, published: set[str], stage: Manifest, development: Manifest
) -> ConnectionSnapshot | None:
    old, new = stage.connections.get(name), development.connections.get(name)
    return new if name in published or old is None else old


def _with_dependencies(
    stage: Manifest, development: Manifest, found: Changes, wanted: Iterable[str]
) -> tuple[set[str], dict[str, tuple[str, ...]]]:
    runners: dict[str, list[str]] = {}
    for component in stage.components.values():
        for function in component.reached.functions:
            runners.setdefault(function, []).append(component.link_name)
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
            needed_by[other] = (*needed_by.get(other, ()), change.item.name)
            if other not in ticked:
                ticked.add(other)
                waiting.append(other)
    return ticked, needed_by


def _connection_changes(
    stage: Manifest,
    development: Manifest,
    found: Changes,
    result: Manifest,
    ticked: set[str],
) -> dict[str, ConnectionChange]:
    users: dict[str, list[str]] = {}
    for component in development.components.values():
        for name in component.reached.connections:
            users.setdefault(name, []).append(component.link_name)
    connection_changes = {}
    for name, change in found.connections.items():
        if change.status is ChangeStatus.DELETED:
            continue
        included = [user for user in users.get(name, ()) if user in ticked]
        connection_changes[name] = ConnectionChange(
            change=change,
            is_included=bool(included),
            reason=_reason(development, included, users.get(name, [])),
        )
    for name, snapshot in stage.connections.items():
        if name not in result.connections:
            connection_changes[name] = ConnectionChange(
                change=Change(status=ChangeStatus.DELETED, before=snapshot, after=None),
                is_included=True,
                reason="Nothing in Stage references it any longer, so it is removed from Stage.",
            )
    return dict(sorted(connection_changes.items()))


def _reason(development: Manifest, included: list[str], users: list[str]) -> str:
    def named(link_names: list[str]) -> list[str]:
        names = [development.components[link_name].name for link_name in link_names]
        return names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]

    if included:
        return f"Included, because {_joined(named(included), 'and')} {_verb(included)} it."
    if users:
        return f"Not included: it is published only together with {_joined(named(users), 'or')}."
    return (
        "Cannot be published: no component references it. Call it in a component, and it is "
        "published together with that component."
    )


def _verb(subjects: list[str]) -> str:
    return "references" if len(subjects) == 1 else "reference"


def _joined(words: list[str], conjunction: str) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
