"""A connection as it stands somewhere: in Development, in a release, in a file.

What is edited is the row of a connection, and that is Development. Every other
environment reads the values that were released to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from connectors.definitions.registry import connector_or_gone
from connectors.definitions.schema import Connector
from console.choices import Environment


@dataclass(frozen=True, kw_only=True)
class ConnectionSnapshot:
    """All that an application says about one of its connections; never a secret."""

    #: The fields that a row has under the same name and in the same shape.
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
    auth_type: str
    level: str
    all_actions: bool = False
    scopes: tuple[str, ...] = ()
    separate_environments: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def definition(self) -> Connector:
        """Return what the catalogue says about the service."""
        return connector_or_gone(self.connector)

    @property
    def scopes_asked(self) -> tuple[str, ...]:
        """Name every scope that is needed, the connector's fixed ones included."""
        oauth2 = self.definition.oauth2
        if oauth2 is None or self.auth_type != "oauth2":
            return ()
        chosen = oauth2.all_actions if self.all_actions else self.scopes
        return tuple(dict.fromkeys([*(action.scope for action in oauth2.always), *chosen]))

    def slot(self, environment: str) -> str:
        """Name the environment of the authorization that acts in ``environment``.

        Only Development and Stage share one, and only where the connection says so.
        """
        if environment == Environment.PRODUCTION or self.separate_environments:
            return environment
        return Environment.ALL

    def as_document(self) -> dict[str, Any]:
        """Return it as releases and files hold it."""
        return {
            "name": self.name,
            "link_name": self.link_name,
            "connector": self.connector,
            "auth_type": self.auth_type,
            "level": self.level,
            "all_actions": self.all_actions,
            "scopes": list(self.scopes),
            "separate_environments": self.separate_environments,
            # A database gives them in an order of its own.
            "parameters": dict(sorted(self.parameters.items())),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> ConnectionSnapshot:
        """Read what :meth:`as_document` has written."""
        return cls(**{**document, "scopes": tuple(document.get("scopes", ()))})
