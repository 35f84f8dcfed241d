"""Build small manifests."""

from __future__ import annotations

from connections.models.snapshot import ConnectionSnapshot
from console.publishing.manifest import ComponentSnapshot, Manifest


def connection(link_name: str, *scopes: str) -> ConnectionSnapshot:
    return ConnectionSnapshot(
        name=link_name.capitalize(),
        link_name=link_name,
        connector="sandbox",
        auth_type="oauth2",
        level="administrator",
        scopes=scopes,
    )


def function(link_name: str, *connections: str, note: str = "") -> ComponentSnapshot:
    calls = [{"connection": name, "path": "/contacts"} for name in connections]
    return ComponentSnapshot(
        kind="function",
        name=link_name.capitalize(),
        link_name=link_name,
        definition={"calls": calls, "description": note},
    )


def workflow(link_name: str, *functions: str) -> ComponentSnapshot:
    return ComponentSnapshot(
        kind="workflow",
        name=link_name.capitalize(),
        link_name=link_name,
        definition={"steps": [{"function": name} for name in functions]},
    )


def manifest(*parts: ComponentSnapshot | ConnectionSnapshot) -> Manifest:
    return Manifest(
        components={part.link_name: part for part in parts if isinstance(part, ComponentSnapshot)},
        connections={
            part.link_name: part for part in parts if isinstance(part, ConnectionSnapshot)
        },
    )


NOTHING = manifest()
BOTH = manifest(
    function("find", "people"),
    function("order", "parts"),
    connection("people"),
    connection("parts"),
)
