"""Lines of the call log that nginx has collected."""

from __future__ import annotations

import uuid
from typing import Any

from console.choices import Environment
from console.invocations.log_writer import note
from console.monitoring.metrics import DROPPED

_TEXTS = {"connector": 100, "key_prefix": 30, "method": 20, "host": 255, "path": 500}
_TEXTS |= {"problem": 100}
_NUMBERS = ("status", "milliseconds", "bytes_in", "bytes_out")


def note_lines(lines: list[Any], dropped: int) -> None:
    """Write lines to the call log; those that are not valid are counted as dropped."""
    for line in lines:
        try:
            fields = _fields(line)
        except (KeyError, TypeError, ValueError, AttributeError):
            dropped += 1
        else:
            note(**fields)
    DROPPED.inc(dropped)


def _fields(line: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        name: uuid.UUID(line[name])
        for name in ("organization_id", "application_id", "connection_id")
    }
    fields["user_id"] = uuid.UUID(line["user_id"]) if line.get("user_id") else None
    fields["environment"] = Environment(line["environment"]).value
    for name, length in _TEXTS.items():
        if not isinstance(line[name], str):
            raise TypeError(name)
        fields[name] = line[name][:length]
    for name in _NUMBERS:
        fields[name] = max(0, int(line[name]))
    return {**fields, "refreshed": False}
