"""The OpenAPI document of the runtime API as plain values for a page and for the search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings

from console.runtime.api import api
from console.runtime.problem_types import PROBLEM_TYPES, ProblemType

#: The prefix of all paths, without the organization that a page's URL may name.
API_PREFIX = "/api/v1/"
#: How deep the fields of a schema are listed.
_MAX_DEPTH = 4
#: Values for the examples; others are named after their parameter.
_EXAMPLES = {"link_name": "zoho_crm", "path": "contacts"}


@dataclass(frozen=True, kw_only=True)
class ApiField:
    """A field of a schema, or a parameter; ``level`` is its depth."""

    name: str
    type: str
    is_required: bool
    description: str = ""
    place: str = ""
    level: int = 0


@dataclass(frozen=True, kw_only=True)
class ApiContent:
    """The body of a request or a response: its media type and its fields."""

    label: str
    media_type: str
    description: str
    fields: tuple[ApiField, ...]


@dataclass(frozen=True, kw_only=True)
class ApiOperation:
    """One operation, or several methods of one path that do the same."""

    anchor: str
    methods: tuple[str, ...]
    path: str
    summary: str
    description: str
    parameters: tuple[ApiField, ...]
    bodies: tuple[ApiContent, ...]
    responses: tuple[ApiContent, ...]
    example: str


@dataclass(frozen=True, kw_only=True)
class ApiGroup:
    """The operations about one kind of thing."""

    anchor: str
    title: str
    operations: tuple[ApiOperation, ...]


class ApiReference:
    """What the page *API reference* shows."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self.version = document["info"]["version"]
        self.description = document["info"]["description"].replace("`", "")
        self.base_url = f"{settings.PUBLIC_URL}{API_PREFIX}"
        self.groups = tuple(self._groups())
        self.problems: Sequence[ProblemType] = sorted(
            PROBLEM_TYPES.values(), key=lambda each: (each.status, each.slug)
        )

    @property
    def operations(self) -> list[ApiOperation]:
        return [operation for group in self.groups for operation in group.operations]

    def _groups(self) -> Iterator[ApiGroup]:
        found: dict[str, list[ApiOperation]] = {}
        for path, methods in self._document["paths"].items():
            name = path.removeprefix(API_PREFIX).split("/")[0]
            found.setdefault(name, []).extend(self._operations(path, methods))
        for name, operations in found.items():
            title = name.replace("_", " ").capitalize()
            yield ApiGroup(anchor=f"api-{name}", title=title, operations=tuple(operations))

    def _operations(self, path: str, methods: Mapping[str, Any]) -> Iterator[ApiOperation]:
        """Yield the operations of a path; methods with one summary are one entry."""
        by_summary: dict[str, list[str]] = {}
        for method, operation in methods.items():
            by_summary.setdefault(operation["summary"], []).append(method)
        for names in by_summary.values():
            # The method with a body says the most.
            told = next((methods[name] for name in names if "requestBody" in methods[name]), None)
            yield self._operation(path, names, told or methods[names[0]])

    def _operation(
        self, path: str, methods: Sequence[str], operation: Mapping[str, Any]
    ) -> ApiOperation:
        # django-ninja makes the summary of the function's name; its docstring says more.
        first, _, rest = str(operation.get("description", "")).partition("\n")
        is_named_by_code = len(methods) == 1
        body = operation.get("requestBody", {})
        example = "post" if "post" in methods and len(methods) == 1 else methods[0]
        return ApiOperation(
            anchor=operation["operationId"],
            methods=tuple(name.upper() for name in methods),
            path=path,
            summary=(first if is_named_by_code and first else operation["summary"]).rstrip("."),
            description=rest.strip() if is_named_by_code else str(operation["description"]),
            parameters=tuple(self._parameter(each) for each in operation.get("parameters", ())),
            bodies=tuple(self._contents("Body", body.get("description", ""), body)),
            responses=tuple(
                content
                for status, response in operation["responses"].items()
                for content in self._contents(
                    "of any other status" if status == "default" else status,
                    response["description"],
                    response,
                )
            ),
            example=self._example(path, example.upper(), body),
        )

    def _parameter(self, parameter: Mapping[str, Any]) -> ApiField:
        return ApiField(
            name=parameter["name"],
            type=self._type(parameter["schema"]),
            is_required=parameter.get("required", False),
            description=parameter.get("description", ""),
            place=parameter["in"],
        )

    def _contents(
        self, label: str, description: str, of: Mapping[str, Any]
    ) -> Iterator[ApiContent]:
        if not of:
            return
        for media_type, content in (of.get("content") or {"": {}}).items():
            schema = self._resolved(content.get("schema", {}))
            yield ApiContent(
                label=label,
                media_type="" if media_type == "*/*" else media_type,
                description=schema.get("description", "") or description,
                fields=tuple(self._fields(schema)),
            )

    def _fields(self, schema: Mapping[str, Any], level: int = 0) -> Iterator[ApiField]:
        required = schema.get("required", ())
        for name, field in schema.get("properties", {}).items():
            yield ApiField(
                name=name,
                type=self._type(field),
                is_required=name in required,
                description=field.get("description", ""),
                level=level,
            )
            inner = self._resolved(field.get("items", field))
            if level < _MAX_DEPTH:
                yield from self._fields(inner, level + 1)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        reference = schema.get("$ref", "")
        name = reference.rpartition("/")[2]
        return self._document["components"]["schemas"][name] if name else schema

    def _type(self, schema: Mapping[str, Any]) -> str:
        if "anyOf" in schema:
            return " or ".join(self._type(each) for each in schema["anyOf"])
        resolved = self._resolved(schema)
        name = str(resolved.get("type", "any"))
        if name == "array":
            return f"list of {self._type(resolved.get('items', {}))}"
        return f"{name} ({resolved['format']})" if "format" in resolved else name

    def _example(self, path: str, method: str, body: Mapping[str, Any]) -> str:
        filled = path
        for name, value in _EXAMPLES.items():
            filled = filled.replace(f"{{{name}}}", value)
        lines = [f'curl "{settings.PUBLIC_URL}{filled}"', '  -H "Authorization: Bearer $API_KEY"']
        if method not in ("GET", "POST"):
            lines.insert(1, f"  -X {method}")
        if body and method != "GET":
            lines += ['  -H "Content-Type: application/json"', "  -d '{\"input\": {}}'"]
        return " \\\n".join(lines)


@cache
def get_reference() -> ApiReference:
    """Return the reference of this version of the console."""
    return ApiReference(api.get_openapi_schema(path_prefix=API_PREFIX))
