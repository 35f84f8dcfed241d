"""Read the faults of a file, and find the line of a text in it."""

from __future__ import annotations

from typing import Any

import pytest

from console.components.json_source import JsonFault, JsonFaults
from console.transfer.importing import read
from tests.transfer.files import CALL, component, document, text_of


def faults(data: str | bytes | dict[str, Any]) -> tuple[JsonFault, ...]:
    with pytest.raises(JsonFaults) as raised:
        read(text_of(data) if isinstance(data, dict) else data)
    return raised.value.faults


def only(data: str | bytes | dict[str, Any]) -> JsonFault:
    (fault,) = faults(data)
    return fault


def line_of(value: dict[str, Any], words: str, *, nth: int = 1) -> int:
    lines = [n for n, line in enumerate(text_of(value).splitlines(), 1) if words in line]
    return lines[nth - 1]


def calling(**call: Any) -> dict[str, Any]:
    return document(components=[component("f", "function", {"calls": [{**CALL, **call}]})])
