"""What an application is made of, as plain values: the content of releases and of files.

Everything in it is known by its link name, and nothing of it is a secret, an authorization
or a key of this database. The same application gives the same text, byte for byte.
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
    """A component as it stands in a manifest."""

    kind: str
    name: str
    link_name: str
    definition: Any

    @cached_property
    def reached(self) -> ComponentDefinition:
        """Return what its definition calls and runs."""
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
    """Components and connections by link name, in the order of these names."""

    name: str = ""
    link_name: str = ""
    components: Mapping[str, ComponentSnapshot] = field(default_factory=dict)
    connections: Mapping[str, ConnectionSnapshot] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return {
            "application": {"name": self.name, "link_name": self.link_name},
            "connections": [
                self.connections[name].as_document() for name in sorted(self.connections)
            ],
            "components": [self.components[name].as_document() for name in sorted(self.components)],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Manifest:
        """Read what :meth:`as_document` has written."""
        parts = [ComponentSnapshot(**component) for component in document["components"]]
        snapshots = [ConnectionSnapshot.from_document(each) for each in document["connections"]]
        return cls(
            name=document["application"]["name"],
            link_name=document["application"]["link_name"],
            components={part.link_name: part for part in parts},
            connections={snapshot.link_name: snapshot for snapshot in snapshots},
        )

    @cached_property
    def text(self) -> str:
        """Return the text that says all of this, the developers' order of keys kept."""
        return json.dumps(self.as_document(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Manifest:
        return cls.from_document(json.loads(text))

    def says_the_same_as(self, other: Manifest) -> bool:
        """Tell whether both hold the same, whatever the order of keys."""
        return canonical(self.as_document()) == canonical(other.as_document())

    def unresolved(self) -> list[tuple[str, str]]:
        """List what its components name and it does not hold: (component, name) pairs."""
        functions = {
            name for name, part in self.components.items() if part.kind == ComponentKind.FUNCTION
        }
        return [
            (part.link_name, name)
            for part in self.components.values()
            for name, known in (
                *((name, self.connections) for name in part.reached.connections),
                *((name, functions) for name in part.reached.functions),
            )
            if name not in known
        ]


def of_development(
    application: Application, components: Iterable[Component] | None = None
) -> Manifest:
    """Read what is being edited; two queries at most, whatever the size.

    ``components`` spares one of them where all of the application's are at hand.
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


def canonical(value: Any) -> str:
    """Write a value in one way, to compare: two are the same where their texts are.

    Unlike ``==`` it tells ``1`` from ``true`` and from ``1.0``.
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
