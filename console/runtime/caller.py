"""The program that calls the runtime API, and the person it calls for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from connections.authorizations.connection_state import ConnectionState
from connections.calls.errors import LicenseEnded
from console.accounts.models import Organization, User
from console.applications.models import Application
from console.choices import Environment
from console.keys.authentication import KeyHolder
from console.keys.user_tokens import read_user
from console.publishing.environment_state import manifest_in, states_in
from console.publishing.manifest import Manifest


@dataclass(frozen=True, kw_only=True)
class Program:
    """The holder of a key, and the person named in the request, if any."""

    holder: KeyHolder
    user: User | None

    @classmethod
    def of(cls, environ: Mapping[str, Any], holder: KeyHolder) -> Program:
        """Read the person that the request names; raise ``TokenRefused``."""
        return cls(holder=holder, user=read_user(environ, holder))

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
        """Return the application in the key's environment; raise ``LicenseEnded``."""
        if self.client:
            installed = self.application.installations.filter(organization=self.client).first()
            if installed and installed.has_ended:
                raise LicenseEnded(str(self.application))
        return manifest_in(self.application, self.environment, self.client)

    @cached_property
    def states(self) -> Mapping[str, ConnectionState]:
        """Return the states of its connections by link name, for this person."""
        return states_in(
            self.application,
            self.manifest.connections.values(),
            self.environment,
            self.user,
            self.client,
        )
