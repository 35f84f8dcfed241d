"""What a release requires of a client that installs it: connections to authorize, permissions.

Everything is read from the releases, so a listing cannot promise less than the application asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from connections.models.snapshot import ConnectionSnapshot
from connectors.definitions.schema import Connector
from console.choices import ComponentKind, Level
from console.publishing.manifest import Manifest
from console.publishing.manifest_diff import ChangeStatus, changes


@dataclass(frozen=True, kw_only=True)
class Permission:
    """A scope, and a sentence that says what it allows, if the catalogue has one."""

    scope: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """What a connection requires: who authorizes it, and its permissions."""

    snapshot: ConnectionSnapshot
    permissions: tuple[Permission, ...]

    @property
    def connector(self) -> Connector:
        return self.snapshot.definition

    @property
    def is_personal(self) -> bool:
        return self.snapshot.level == Level.LOGGED_IN_USER

    @property
    def who(self) -> str:
        """Return a sentence that says who authorizes the connection."""
        if self.is_personal:
            return "Each person authorizes it with their own account."
        return "A super admin, admin or developer of your organization authorizes it for everyone."

    @property
    def credential(self) -> str:
        """Describe the access for services that have no separate permissions."""
        return "Everything that the account or key may do"


@dataclass(frozen=True, kw_only=True)
class RequirementChange:
    """What changes for one connection when another release is installed.

    ``sentences`` describe it. With ``needs_new_authorization``, existing authorizations end.
    """

    requirement: Requirement
    status: ChangeStatus
    added: tuple[Permission, ...] = ()
    removed: tuple[Permission, ...] = ()
    sentences: tuple[str, ...] = ()
    needs_new_authorization: bool = False


def requirements_of(manifest: Manifest) -> list[Requirement]:
    """List the requirement of each connection of a release, in the order of their names."""
    found = [requirement_of(snapshot) for snapshot in manifest.connections.values()]
    return sorted(found, key=lambda requirement: requirement.snapshot.name.lower())


def requirement_of(snapshot: ConnectionSnapshot) -> Requirement:
    return Requirement(snapshot=snapshot, permissions=_permissions(snapshot, snapshot.scopes_asked))


def authorizations_carry_over(before: ConnectionSnapshot, after: ConnectionSnapshot) -> bool:
    """Tell whether authorizations stay valid when a connection changes.

    The level, the connector and the authentication type must be the same.
    """
    return _authorization_kind(before) == _authorization_kind(after)


def requirement_changes(before: Manifest, after: Manifest) -> list[RequirementChange]:
    """List the changes of connections that concern a client, without those for developers."""
    found = []
    for link_name in sorted(before.connections.keys() | after.connections.keys()):
        old, new = before.connections.get(link_name), after.connections.get(link_name)
        if old and new:
            if difference := _modified(old, new):
                found.append(difference)
        elif new:
            requirement = requirement_of(new)
            found.append(
                RequirementChange(
                    requirement=requirement,
                    status=ChangeStatus.ADDED,
                    added=requirement.permissions,
                )
            )
        elif old:
            found.append(
                RequirementChange(
                    requirement=requirement_of(old),
                    status=ChangeStatus.DELETED,
                    sentences=("Its authorizations are revoked and erased.",),
                    needs_new_authorization=True,
                )
            )
    return found


def component_counts(before: Manifest, after: Manifest) -> list[str]:
    """Count the components that were added, modified and deleted: "2 functions added"."""
    found = Counter(
        (change.status, change.item.kind) for change in changes(before, after).components.values()
    )
    return [
        f"{count} {ComponentKind(kind).label.lower()}{'' if count == 1 else 's'} {status}"
        for (status, kind), count in sorted(found.items())
    ]


def _modified(old: ConnectionSnapshot, new: ConnectionSnapshot) -> RequirementChange | None:
    had, has = set(old.scopes_asked), set(new.scopes_asked)
    sentences = []
    if old.name != new.name:
        sentences.append(f"Renamed from {old.name}.")
    needs_new_authorization = not authorizations_carry_over(old, new)
    requirement = requirement_of(new)
    if old.level != new.level:
        sentences.append(f"New: {requirement.who[:1].lower()}{requirement.who[1:]}")
    if old.connector != new.connector:
        sentences.append(f"It now calls {new.definition.name} instead of {old.definition.name}.")
    elif old.auth_type != new.auth_type:
        sentences.append("It now uses a different authentication type.")
    if needs_new_authorization:
        sentences.append("Its authorizations are revoked, and it has to be authorized again.")
    added = _permissions(new, (scope for scope in new.scopes_asked if scope not in had))
    removed = _permissions(old, (scope for scope in old.scopes_asked if scope not in has))
    if not (sentences or added or removed):
        return None
    return RequirementChange(
        requirement=requirement,
        status=ChangeStatus.MODIFIED,
        added=added,
        removed=removed,
        sentences=tuple(sentences),
        needs_new_authorization=needs_new_authorization,
    )


def _authorization_kind(snapshot: ConnectionSnapshot) -> tuple[Any, ...]:
    return snapshot.level, snapshot.connector, snapshot.auth_type


def _permissions(snapshot: ConnectionSnapshot, scopes: Iterable[str]) -> tuple[Permission, ...]:
    oauth2 = snapshot.definition.oauth2
    known = oauth2.actions if oauth2 else {}
    return tuple(
        Permission(scope=scope, sentence=known[scope].sentence if scope in known else "")
        for scope in scopes
    )
