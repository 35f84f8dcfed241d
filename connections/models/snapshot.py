"""A snapshot of a connection's settings: in Development, in a release, or in an export file.

People edit the row of a connection, which is Development. Every other environment uses the
settings that were released to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from connectors.definitions.registry import connector_or_placeholder
from connectors.definitions.schema import AuthType, Connector
from console.choices import Environment


@dataclass(frozen=True, kw_only=True)
class ConnectionSnapshot:
    """The settings of a connection; never a secret."""

    #: The fields that the row has with the same name and type.
    FIELDS: ClassVar[tuple[str, ...]] = (
        "name",
        "link_name",
        "auth_type",
        "level",
        "all_actions",
        "separate_environments",
    )

    name: str
    link_name: str
    connector: str  # its slug
    auth_type: AuthType
    level: str
    all_actions: bool = False
    scopes: tuple[str, ...] = ()
    separate_environments: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def definition(self) -> Connector:
        """Return the connector's definition from the catalogue."""
        return connector_or_placeholder(self.connector)

    @property
    def scopes_asked(self) -> tuple[str, ...]:
        """Return every scope that is needed, including the connector's fixed scopes."""
        oauth2 = self.definition.oauth2
        if oauth2 is None or self.auth_type != "oauth2":
            return ()
        chosen = oauth2.all_actions if self.all_actions else self.scopes
        return tuple(dict.fromkeys([*(action.scope for action in oauth2.always), *chosen]))

    def slot(self, environment: str) -> str:
        """Return the environment of the authorization that serves ``environment``.

        Development and Stage share one, unless the connection has separate environments.
        """
        if environment == Environment.PRODUCTION or self.separate_environments:
            return environment
        return Environment.ALL

    def as_document(self) -> dict[str, Any]:
        """Return the settings as JSON, for releases and export files."""
        return {
            "name": self.name,
            "link_name": self.link_name,
            "connector": self.connector,
            "auth_type": self.auth_type,
            "level": self.level,
            "all_actions": self.all_actions,
            "scopes": list(self.scopes),
            "separate_environments": self.separate_environments,
            # Sorted, because the order in a database is not defined.
            "parameters": dict(sorted(self.parameters.items())),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> ConnectionSnapshot:
        """Create a snapshot from the result of :meth:`as_document`."""
        return cls(**{**document, "scopes": tuple(document.get("scopes", ()))})
