"""Build files to import: a valid one, optionally with changes."""

from __future__ import annotations

import json
from typing import Any

CALL = {"connection": "customers", "method": "POST", "path": "/contacts"}


def document(**changes: Any) -> dict[str, Any]:
    """Return a file that can be imported, with some of its first keys changed."""
    return {
        "format": "developer-console/application",
        "schema": 1,
        "application": {"name": "Repairs", "link_name": "repairs"},
        "connections": [connection()],
        "components": [
            component("add_customer", "function", {"calls": [dict(CALL)]}),
            component(
                "new_customer", "form", {"fields": [], "submit": {"function": "add_customer"}}
            ),
        ],
        **changes,
    }


def connection(name: str = "Customers", **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "link_name": name.lower().replace(" ", "_"),
        "connector": "sandbox",
        "auth_type": "oauth2",
        "level": "administrator",
        "all_actions": False,
        "scopes": ["contacts.read"],
        "separate_environments": False,
        "parameters": {},
        **changes,
    }


def component(link_name: str, kind: str = "page", definition: Any = None) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": link_name.replace("_", " ").capitalize(),
        "link_name": link_name,
        "definition": {} if definition is None else definition,
    }


def text_of(value: Any) -> str:
    """Write a file as an export does."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def many(count: int) -> dict[str, Any]:
    """Return a file with ``count`` components, each of which calls a connection."""
    connections = [connection(f"Service {number}") for number in range(count // 4)]
    return document(
        connections=connections,
        components=[
            component(
                f"function_{number}",
                "function",
                {"calls": [{"connection": f"service_{number % (count // 4)}", "path": "/x"}]},
            )
            for number in range(count)
        ],
    )
