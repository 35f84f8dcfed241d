"""Complete the OpenAPI 3.1 schema with what django-ninja does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from console.runtime.problem_details import MEDIA_TYPE
from console.runtime.problem_types import PROBLEM_TYPES

DESCRIPTION = (
    "Programs of an application call its connections and run its functions with a key of the "
    "application; they never see a secret. Errors are problem documents (RFC 9457): rely on their "
    "`type`, which is also the URL of an explanation."
)
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
#: OpenAPI has no parameter for a path with slashes, so clients must not encode them.
PROXY = "/api/v1/connections/{link_name}/proxy/{path}"

_TOKEN = {
    "name": "Console-User",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The token of the person that the program calls for.",
}
_PATH_NAMES: Mapping[str, str] = {
    "link_name": "The link name of the connection.",
    "path": "The path at the service, slashes included.",
}


def complete_schema(schema: Any) -> Any:
    """Add problems, people's tokens and the proxy to django-ninja's schema."""
    for path in schema["paths"].values():
        for operation in path.values():
            operation.setdefault("parameters", []).append(_TOKEN)
            operation["responses"]["default"] = _PROBLEM
    schema["paths"][PROXY] = {method: _proxy_operation(method) for method in METHODS}
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
            "type": {"type": "string", "enum": sorted(each.uri for each in PROBLEM_TYPES.values())},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "authorize_url": {
                "type": "string",
                "description": "Where a person authorizes the connection (409)",
            },
        },
    }


def _proxy_operation(method: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"proxy_{method}",
        "summary": "Call the service through the connection",
        "description": "The request is sent to the service with the connection's credential, "
        "and the service's response comes back with its own status and headers. Errors of the "
        f"console are problem documents (`{MEDIA_TYPE}`). A body needs Content-Length: a chunked "
        "one is answered with 411.",
        "parameters": [
            *(
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string"},
                    "description": description,
                }
                for name, description in _PATH_NAMES.items()
            ),
            _TOKEN,
        ],
        "responses": {
            "2XX": {"description": "The response of the service"},
            "default": _PROBLEM,
        },
        "security": [{"KeyAuth": []}],
    }
    if method in ("post", "put", "patch", "delete"):
        operation["requestBody"] = {"content": {"*/*": {"schema": {}}}}
    return operation
