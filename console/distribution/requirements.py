"""What a release asks of whoever installs it, in words; and what another one asks beyond that.

All of it is read from the releases: nobody types what an application asks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from connections.models.snapshot import ConnectionSnapshot
from connectors.api.auth_strategies import AUTH_TYPES
from connectors.definitions.schema import Connector
from console.choices import ComponentKind, Level
from console.publishing.manifest import Manifest
from console.publishing.manifest_diff import ChangeStatus, changes


@dataclass(frozen=True, kw_only=True)
class Permission:
    """A scope, and the sentence that says what it allows, if the catalogue has one."""

    scope: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """What one connection asks for: of whom, and which permissions."""

    standing: ConnectionSnapshot
    permissions: tuple[Permission, ...]

    @property
    def connector(self) -> Connector:
        return self.standing.definition

    @property
    def is_personal(self) -> bool:
        return self.standing.level == Level.LOGGED_IN_USER

    @property
    def who(self) -> str:
        """Say in a sentence who authorizes it."""
        if self.is_personal:
            return "Each person authorizes it for himself, with an account of his own."
        return (
            "A super admin, admin or developer of your organization authorizes it, for everybody."
        )

    @property
    def credential(self) -> str:
        """Say what stands in for permissions where the service knows none."""
        if AUTH_TYPES[self.standing.auth_type].redirects:  # type: ignore[index]
            return "What the account may do"
        return "Everything that the account or key may do"


@dataclass(frozen=True, kw_only=True)
class RequirementChange:
    """What happens to one connection when another release is installed.

    ``sentences`` say it; ``needs_new_authorization`` tells that what was authorized for it ends.
    """

    ask: Requirement
    status: ChangeStatus
    more: tuple[Permission, ...] = ()
    less: tuple[Permission, ...] = ()
    sentences: tuple[str, ...] = ()
    needs_new_authorization: bool = False


def requirements_of(manifest: Manifest) -> list[Requirement]:
    """List what each connection of a release asks for, in the order of their names."""
    found = [requirement_of(standing) for standing in manifest.connections.values()]
    return sorted(found, key=lambda ask: ask.standing.name.lower())


def requirement_of(standing: ConnectionSnapshot) -> Requirement:
    return Requirement(standing=standing, permissions=_permissions(standing, standing.scopes_asked))


def authorizations_carry_over(before: ConnectionSnapshot, after: ConnectionSnapshot) -> bool:
    """Tell whether what was authorized for the one may act for the other.

    Who authorizes, at which service and in which way must be the same.
    """
    return _kind(before) == _kind(after)


def differences(before: Manifest, after: Manifest) -> list[RequirementChange]:
    """List what a client notices of each connection; what only developers notice is left out."""
    found = []
    for link_name in sorted(before.connections.keys() | after.connections.keys()):
        old, new = before.connections.get(link_name), after.connections.get(link_name)
        if old and new:
            if difference := _modified(old, new):
                found.append(difference)
        elif new:
            ask = requirement_of(new)
            found.append(
                RequirementChange(ask=ask, status=ChangeStatus.ADDED, more=ask.permissions)
            )
        elif old:
            found.append(
                RequirementChange(
                    ask=requirement_of(old),
                    status=ChangeStatus.DELETED,
                    sentences=("What was authorized for it is revoked and erased.",),
                    needs_new_authorization=True,
                )
            )
    return found


def counts(before: Manifest, after: Manifest) -> list[str]:
    """Say how many components come, change and go: "2 functions added"."""
    found = Counter(
        (change.status, change.part.kind) for change in changes(before, after).components.values()
    )
    return [
        f"{count} {ComponentKind(kind).label.lower()}{'' if count == 1 else 's'} {status}"
        for (status, kind), count in sorted(found.items())
    ]


def _modified(old: ConnectionSnapshot, new: ConnectionSnapshot) -> RequirementChange | None:
    had, has = set(old.scopes_asked), set(new.scopes_asked)
    sentences = []
    if old.name != new.name:
        sentences.append(f"It was called {old.name}.")
    anew = not authorizations_carry_over(old, new)
    ask = requirement_of(new)
    if old.level != new.level:
        sentences.append(f"From now on: {ask.who[:1].lower()}{ask.who[1:]}")
    if old.connector != new.connector:
        sentences.append(f"It calls {new.definition.name} now instead of {old.definition.name}.")
    elif old.auth_type != new.auth_type:
        sentences.append("It is authorized in another way now.")
    if anew:
        sentences.append("What was authorized for it is revoked, and it has to be authorized anew.")
    more = _permissions(new, (scope for scope in new.scopes_asked if scope not in had))
    less = _permissions(old, (scope for scope in old.scopes_asked if scope not in has))
    if not (sentences or more or less):
        return None
    return RequirementChange(
        ask=ask,
        status=ChangeStatus.MODIFIED,
        more=more,
        less=less,
        sentences=tuple(sentences),
        needs_new_authorization=anew,
    )


def _kind(standing: ConnectionSnapshot) -> tuple[Any, ...]:
    return standing.level, standing.connector, standing.auth_type


def _permissions(standing: ConnectionSnapshot, scopes: Iterable[str]) -> tuple[Permission, ...]:
    oauth2 = standing.definition.oauth2
    known = oauth2.actions if oauth2 else {}
    return tuple(
        Permission(scope=scope, sentence=known[scope].sentence if scope in known else "")
        for scope in scopes
    )
