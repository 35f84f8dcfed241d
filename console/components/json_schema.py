"""Validate documents against the published JSON Schemas (draft 2020-12), with readable errors."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path as File
from typing import Any

from jsonschema_rs import Draft202012Validator, Registry

from console.components.json_source import Problem

Schema = dict[str, Any]

FOLDER = File(__file__).parent / "schemas"
#: Upper limit for the errors that are read from the validator for one document.
MAX_ERRORS = 2_000

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
    """Return the names of the published schemas."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@cache
def _validator(name: str, part: str) -> Draft202012Validator:
    registry = Registry([(f"{known}.json", schema(known)) for known in names()])
    # Without a mask, the message of each error repeats the whole invalid value.
    return Draft202012Validator(_reference(name, part), registry=registry, mask="it")


def _reference(name: str, part: str) -> Schema:
    return {"$ref": f"{name}.json" + (f"#/$defs/{part}" if part else "")}


def problems(document: Any, *, name: str, part: str = "") -> Iterator[Problem]:
    """Find violations of a schema or of one of its ``$defs``, each rule once per location."""
    validator = _validator(name, part)
    if validator.is_valid(document):
        return
    seen = set()
    for error in itertools.islice(validator.iter_errors(document), MAX_ERRORS):
        *way, keyword = error.evaluation_path
        key = (*error.instance_path, keyword)
        if key not in seen:
            seen.add(key)
            yield key[:-1], _sentence(str(keyword), _rule(way, name, part), error.instance)


def _rule(way: Sequence[str | int], name: str, part: str) -> Schema:
    """Follow an error's evaluation path, through references, to the violated rule."""
    rule: Any = _reference(name, part)
    for step in way:
        if step != "$ref":
            rule = rule[step]
            continue
        file, _, pointer = rule["$ref"].partition("#/")
        name = file.removesuffix(".json") or name
        rule = schema(name)
        for place in filter(None, pointer.split("/")):
            rule = rule[place]
    return rule


def _sentence(keyword: str, rule: Schema, instance: Any) -> str:
    """Say what is wrong and what is expected."""
    if "x-sentence" in rule and keyword in ("pattern", "additionalProperties"):
        return str(rule["x-sentence"])
    wanted = rule[keyword]
    match keyword:
        case "required":
            missing = [name for name in wanted if name not in instance]
            return f"{_listed(missing)} {'is' if len(missing) == 1 else 'are'} missing."
        case "additionalProperties":
            known = rule.get("properties", {})
            unknown = [name for name in instance if name not in known]
            verb = "is" if len(unknown) == 1 else "are"
            return f"{_listed(unknown)} {verb} not allowed here. Allowed: {_listed(known)}."
        case "type":
            types = [wanted] if isinstance(wanted, str) else wanted
            return f"This must be {' or '.join(_TYPES[name] for name in types)}."
        case "enum":
            return f"This must be one of {', '.join(map(str, wanted))}."
        case "const":
            return f"This must be {json.dumps(wanted)}."
        case "maxLength":
            return f"This can have at most {wanted} character{'' if wanted == 1 else 's'}."
        case "minLength" | "minItems":
            return "This cannot be empty."
        case "maxItems":
            return f"At most {wanted} are allowed here, and there are {len(instance)}."
        case _:
            return "This value is not valid here."


def _listed(words: Any) -> str:
    *others, last = [f"“{str(word)[:60]}”" for word in list(words)[:12]]
    return f"{', '.join(others)} and {last}" if others else last
