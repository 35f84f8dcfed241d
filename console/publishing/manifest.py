"""The manifest of an application: the content of releases and of exported files, as plain values.

Components and connections are identified by their link names. A manifest holds no secret, no
authorization and no primary key. The same application gives the same text, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from connections.models import Connection
from connections.models.snapshot import ConnectionSnapshot
from console.applications.models import Application
from console.choices import ComponentKind
from console.components.definitions import ComponentDefinition, reach
from console.components.models import Component


@dataclass(frozen=True, kw_only=True)
class ComponentSnapshot:
    """A component in a manifest."""

    kind: str
    name: str
    link_name: str
    definition: Any

    @cached_property
    def reached(self) -> ComponentDefinition:
        """Return the connections that its definition calls and the functions that it runs."""
        return reach(self.definition)

    def as_document(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "link_name": self.link_name,
            "definition": self.definition,
        }


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The components and connections of an application, by link name and in that order."""

    name: str = ""
    link_name: str = ""
    components: Mapping[str, ComponentSnapshot] = field(default_factory=dict)
    connections: Mapping[str, ConnectionSnapshot] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """Return the manifest as JSON values."""
        return {
            "application": {"name": self.name, "link_name": self.link_name},
            "connections": [
                self.connections[name].as_document() for name in sorted(self.connections)
            ],
            "components": [self.components[name].as_document() for name in sorted(self.components)],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Manifest:
        """Build a manifest from the output of :meth:`as_document`."""
        components = [ComponentSnapshot(**component) for component in document["components"]]
        connections = [ConnectionSnapshot.from_document(each) for each in document["connections"]]
        return cls(
            name=document["application"]["name"],
            link_name=document["application"]["link_name"],
            components={component.link_name: component for component in components},
            connections={connection.link_name: connection for connection in connections},
        )

    @cached_property
    def text(self) -> str:
        """Return the manifest as JSON text; definitions keep the order of their keys."""
        return json.dumps(self.as_document(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Manifest:
        return cls.from_document(json.loads(text))

    def unresolved(self) -> list[tuple[str, str]]:
        """List references to missing connections and functions as (component, name) pairs."""
        functions = {
            name
            for name, component in self.components.items()
            if component.kind == ComponentKind.FUNCTION
        }
        return [
            (component.link_name, name)
            for component in self.components.values()
            for name, known in (
                *((name, self.connections) for name in component.reached.connections),
                *((name, functions) for name in component.reached.functions),
            )
            if name not in known
        ]


def development_manifest(
    application: Application, components: Iterable[Component] | None = None
) -> Manifest:
    """Return the manifest of Development; two queries at most, whatever the size.

    Pass ``components`` to save a query if all components of the application are loaded already.
    """
    if components is None:
        components = application.components.only(
            "application", "kind", "name", "link_name", "definition"
        )
    connections = Connection.objects.created().filter(application=application)
    return Manifest(
        name=application.name,
        link_name=application.link_name,
        components={
            row.link_name: ComponentSnapshot(
                kind=row.kind,
                name=row.name,
                link_name=row.link_name,
                definition=json.loads(row.definition),
            )
            for row in sorted(components, key=lambda row: row.link_name)
        },
        connections={c.link_name: c.snapshot for c in connections.order_by("link_name")},
    )


def canonical_json(value: Any) -> str:
    """Serialize a value so that equal values have equal texts, whatever the order of their keys.

    Unlike ``==``, it tells ``1`` from ``true`` and from ``1.0``.
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, as hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
