"""For whom a program calls, and whether a connection can act for him."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from connections.authorizations.connection_state import ConnectionState
from connections.models import Authorization
from console.accounts.models import Organization, User
from console.applications.models import Application
from console.choices import Environment, Level
from console.keys.authentication import KeyHolder
from console.keys.errors import TokenRequired
from console.keys.user_tokens import user_at
from console.public_url import public_url
from console.publishing.environment_state import manifest_in, states_in
from console.publishing.manifest import Manifest
from console.runtime.problem_details import Problem

#: States of an authorization that worked once.
_BROKEN = {Authorization.State.NEEDS_AUTHORIZATION, Authorization.State.UNKNOWN_OUTCOME}


@dataclass(frozen=True, kw_only=True)
class Program:
    """The holder of a key, and the person for whom it calls, if it names one."""

    holder: KeyHolder
    user: User | None

    @classmethod
    def of(cls, environ: Mapping[str, Any], holder: KeyHolder) -> Program:
        """Read whom the request names; raise :class:`console.keys.errors.TokenRefused`."""
        return cls(holder=holder, user=user_at(environ, holder))

    @property
    def environment(self) -> Environment:
        return Environment(self.holder.environment)

    @cached_property
    def application(self) -> Application:
        return Application.objects.get(pk=self.holder.application_id)

    @cached_property
    def client(self) -> Organization | None:
        """Return the organization in which the application is installed, in Production."""
        if self.environment != Environment.PRODUCTION:
            return None
        return Organization.objects.get(pk=self.holder.organization_id)

    @cached_property
    def manifest(self) -> Manifest:
        """Return the application as it stands where the key is valid.

        Raise :class:`Problem` where the license of the client has ended.
        """
        if self.client:
            installed = self.application.installations.filter(organization=self.client).first()
            if installed and installed.has_ended:
                raise Problem(
                    "license-ended",
                    f"The license of {self.application} has ended. Who shared it with "
                    f"{self.client} can prolong it; then everything works as before.",
                )
        return manifest_in(self.application, self.environment, self.client)

    @cached_property
    def states(self) -> Mapping[str, ConnectionState]:
        """Tell by link name how each of its connections does, for this person."""
        return states_in(
            self.application,
            self.manifest.connections.values(),
            self.environment,
            self.user,
            self.client,
        )


def needs_person(state: ConnectionState, user: User | None) -> bool:
    """Tell whether the connection acts for people alone, and nobody is named."""
    return user is None and state.snapshot.level == Level.LOGGED_IN_USER


def refuse_unless_it_acts(state: ConnectionState, user: User | None) -> None:
    """Raise what keeps a call from being made: nobody is named, or nobody has authorized it.

    Where only permissions are missing the service is asked: it knows what it allows.
    """
    name = state.snapshot.name
    if needs_person(state, user):
        raise TokenRequired(
            f"{name} is authorized by each person for himself, and this request names nobody. "
            "Send the token of the person for whom you call as “Console-User: <token>”."
        )
    if state.works or state.name == "permissions_missing":
        return
    if state.snapshot.level == Level.LOGGED_IN_USER:
        words = f"{user} has not authorized {name} in {state.environment.label}"
    else:
        words = f"{name} is not authorized in {state.environment.label}"
    broken = state.authorization is not None and state.name in _BROKEN
    raise Problem(
        "authorization-broken" if broken else "authorization-required",
        f"{words}. Lead the person to authorize_url, and repeat the call afterwards.",
        authorize_url=authorize_url(state),
    )


def authorize_url(state: ConnectionState) -> str:
    """Return where a person authorizes the connection, as the outside knows it."""
    return state.build_authorize_url(public_url)
