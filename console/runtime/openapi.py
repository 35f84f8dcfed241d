"""The description of the API (OpenAPI 3.1), completed by what django-ninja does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from console.runtime.problem_details import KINDS, MEDIA_TYPE

DESCRIPTION = (
    "Programs of an application call its connections and run its functions with a key of the "
    "application; they never see a secret. Errors are problem documents (RFC 9457): go by their "
    "`type`, each of which is an address that explains it."
)
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
#: The path of a service stands in the address as it is, slashes included.
PROXY = "/api/v1/connections/{link_name}/proxy/{path}"

_TOKEN = {
    "name": "Console-User",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The token of the person for whom the program calls.",
}
_PATH_NAMES: Mapping[str, str] = {
    "link_name": "The link name of the connection.",
    "path": "The path at the service, slashes included.",
}


def described(schema: Any) -> Any:
    """Complete django-ninja's description: problems, tokens of people, the proxy."""
    for path in schema["paths"].values():
        for operation in path.values():
            operation.setdefault("parameters", []).append(_TOKEN)
            operation["responses"]["default"] = _PROBLEM
    schema["paths"][PROXY] = {method: _proxied(method) for method in METHODS}
    schema["components"].setdefault("schemas", {})["Problem"] = _problem_schema()
    schema["servers"] = [{"url": settings.PUBLIC_URL}]
    return schema


_PROBLEM = {
    "description": "A problem (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def _problem_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "enum": sorted(kind.uri for kind in KINDS.values())},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "authorize_url": {
                "type": "string",
                "description": "Where a person authorizes the connection (409)",
            },
        },
    }


def _proxied(method: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"proxy_{method}",
        "summary": "Call the service through the connection",
        "description": "The request is sent on with the connection's credential, and the "
        "service's answer comes back as it is, with its own status and headers. An answer of "
        f"the console's own is a problem document (`{MEDIA_TYPE}`). A body needs a "
        "Content-Length: one in chunks is answered 411.",
        "parameters": [
            *(
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string"},
                    "description": words,
                }
                for name, words in _PATH_NAMES.items()
            ),
            _TOKEN,
        ],
        "responses": {
            "2XX": {"description": "What the service answered"},
            "default": _PROBLEM,
        },
        "security": [{"KeyAuth": []}],
    }
    if method in ("post", "put", "patch", "delete"):
        operation["requestBody"] = {"content": {"*/*": {"schema": {}}}}
    return operation
