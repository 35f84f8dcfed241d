"""Plan an import: what will be created, and under which names."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from connections.models import Connection
from connections.models.snapshot import ConnectionSnapshot
from connections.setup.forms import AUTH_TYPE_NAMES
from console.accounts.models import Organization
from console.applications.link_names import free_link_name
from console.applications.models import Application
from console.choices import Level
from console.publishing.manifest import ComponentSnapshot, Manifest


@dataclass(frozen=True, kw_only=True)
class PlannedConnection:
    """A connection as it will be created; ``original`` is the one in the file."""

    original: ConnectionSnapshot
    snapshot: ConnectionSnapshot

    @property
    def is_renamed(self) -> bool:
        return self.snapshot.name != self.original.name

    @property
    def level(self) -> str:
        """Return the authorization level as shown on screen."""
        return Level(self.snapshot.level).label

    @property
    def permissions(self) -> str:
        """Describe the permissions, or the authentication type if there are none."""
        if self.snapshot.auth_type != "oauth2":
            return AUTH_TYPE_NAMES[self.snapshot.auth_type]
        count = len(self.snapshot.scopes_asked)
        asked = f"{count} permission" + ("s" if count != 1 else "")
        return f"All Actions, {asked}" if self.snapshot.all_actions else asked


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An application as it will be created; ``manifest`` is the content of the file."""

    manifest: Manifest
    name: str
    link_name: str
    connections: tuple[PlannedConnection, ...]

    @property
    def is_renamed(self) -> bool:
        return self.link_name != self.manifest.link_name

    @cached_property
    def components(self) -> tuple[ComponentSnapshot, ...]:
        """Return the components; their calls use the new link names of the connections."""
        new = {
            each.original.link_name: each.snapshot.link_name
            for each in self.connections
            if each.snapshot.link_name != each.original.link_name
        }
        return tuple(_with_new_link_names(part, new) for part in self.manifest.components.values())


def plan(manifest: Manifest, organization: Organization) -> Plan:
    """Choose free names for everything that will be created; two queries.

    If a name is already used in any application of the organization, ``_copy`` is appended, then
    ``_copy_2`` and so on.
    """
    applications = dict(organization.applications.values_list("link_name", "name"))
    created = Connection.objects.created().filter(application__organization=organization)
    existing_names = {name.lower() for name in created.values_list("name", flat=True)}

    name, link_name = manifest.name, manifest.link_name
    if link_name in applications:
        names = {name.lower() for name in applications.values()}
        name = _free_name(name, names, _max_length(Application))
        link_name = free_link_name(name, applications, fallback="application")

    kept = {
        s.link_name: s
        for s in manifest.connections.values()
        if s.name.lower() not in existing_names
    }
    taken_names = existing_names | {snapshot.name.lower() for snapshot in kept.values()}
    taken_link_names = set(kept)
    connections = []
    for original in manifest.connections.values():
        snapshot = original
        if original.link_name not in kept:
            new = _free_name(original.name, taken_names, _max_length(Connection))
            snapshot = replace(
                original,
                name=new,
                link_name=free_link_name(new, taken_link_names, fallback=original.connector),
            )
            taken_names.add(new.lower())
            taken_link_names.add(snapshot.link_name)
        connections.append(PlannedConnection(original=original, snapshot=snapshot))
    return Plan(manifest=manifest, name=name, link_name=link_name, connections=tuple(connections))


def _max_length(model: type[Application | Connection]) -> int:
    return model._meta.get_field("name").max_length or 0


def _free_name(old: str, taken: set[str], limit: int) -> str:
    """Return the first free ``<old>_copy`` name, ignoring case."""
    return next(name for name in _copies(old, limit) if name.lower() not in taken)


def _copies(old: str, limit: int) -> Iterator[str]:
    for number in itertools.count(1):
        suffix = "_copy" if number == 1 else f"_copy_{number}"
        yield old[: limit - len(suffix)].rstrip() + suffix


def _with_new_link_names(part: ComponentSnapshot, new: dict[str, str]) -> ComponentSnapshot:
    calls = [call for call in part.reached.calls if call.connection in new]
    if not calls:
        return part
    definition = copy.deepcopy(part.definition)
    for call in calls:
        node: Any = definition
        for step in call.at:
            node = node[step]
        node["connection"] = new[call.connection]
    return replace(part, definition=definition)
