"""The published JSON Schemas (draft 2020-12), and what breaks them, in words."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path as File
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource

from console.applications.source import Fault, fault_at

FOLDER = File(__file__).parent / "schemas"
MAX_FAULTS = 50

_TYPES = {
    "object": "an object in braces",
    "array": "a list in brackets",
    "string": "a text in double quotes",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}


@cache
def schema(name: str) -> dict[str, Any]:
    """Return a published schema, such as ``component``."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@cache
def names() -> tuple[str, ...]:
    """Name the published schemas."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@cache
def _validator(name: str, part: str) -> Draft202012Validator:
    registry: Registry = Registry().with_resources(
        (f"{known}.json", Resource.from_contents(schema(known))) for known in names()
    )
    return Draft202012Validator(
        {"$ref": f"{name}.json" + (f"#/$defs/{part}" if part else "")}, registry=registry
    )


def faults(document: Any, text: str, *, name: str, part: str = "") -> list[Fault]:
    """List what in ``document``, read from ``text``, breaks a schema or one of its ``$defs``."""
    found: dict[tuple[Any, ...], ValidationError] = {}
    for error in _validator(name, part).iter_errors(document):
        found.setdefault((*error.absolute_path, "\0", error.validator), error)
        if len(found) >= MAX_FAULTS:
            break
    return [
        fault_at(text, tuple(error.absolute_path), sentence(error))
        for error in sorted(found.values(), key=lambda e: [str(step) for step in e.absolute_path])
    ]


def sentence(error: ValidationError) -> str:
    """Say what is wrong, and what would be right."""
    wanted = error.validator_value
    if error.validator == "pattern":
        return str(error.schema["x-sentence"])
    match error.validator:
        case "required":
            missing = [name for name in wanted if name not in error.instance]
            return f"{_listed(missing)} is missing here."
        case "additionalProperties":
            known = error.schema.get("properties", {})
            unknown = [name for name in error.instance if name not in known]
            return f"{_listed(unknown)} is not known here. Known are {_listed(known)}."
        case "type":
            types = [wanted] if isinstance(wanted, str) else wanted
            return f"This must be {' or '.join(_TYPES[name] for name in types)}."
        case "enum":
            return f"This must be one of {', '.join(map(str, wanted))}."
        case "const":
            return f"This must be {json.dumps(wanted)}."
        case "maxLength":
            return f"This may have at most {wanted} characters."
        case "minLength" | "minItems":
            return "This may not be empty."
        case "maxItems":
            return f"At most {wanted} may stand here, and there are {len(error.instance)}."
        case _:
            return "This does not fit."


def _listed(words: Any) -> str:
    return " and ".join(f"“{str(word)[:60]}”" for word in list(words)[:12])
