"""Lines of the call log that nginx has collected."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from console.choices import Environment
from console.invocations.log_writer import note
from console.monitoring.metrics import DROPPED

_IDS = ("organization_id", "application_id", "connection_id")
_TEXTS = ("connector", "key_prefix", "host")


def note_lines(routes: Sequence[Any], lines: Sequence[Any], dropped: int) -> None:
    """Write lines to the call log; those that are not valid are counted as dropped.

    The last item of a line is the number of its route, counted from 1.
    """
    abouts = [_about(route) for route in routes]
    for line in lines:
        try:
            call = _call(*line[:-1])
            about = abouts[line[-1] - 1]
        except (IndexError, KeyError, TypeError, ValueError):
            dropped += 1
        else:
            note(**about, **call)
    DROPPED.inc(max(0, dropped))


def _about(route: Any) -> dict[str, Any]:
    """Return the fields that all calls of a route share."""
    return {
        **{name: uuid.UUID(route[name]) for name in _IDS},
        **{name: str(route[name]) for name in _TEXTS},
        "user_id": uuid.UUID(route["user_id"]) if route["user_id"] else None,
        "environment": Environment(route["environment"]).value,
        "refreshed": False,
    }


def _call(
    method: str,
    path: str,
    status: int,
    problem: str,
    milliseconds: int,
    bytes_in: int,
    bytes_out: int,
) -> dict[str, Any]:
    """Return the other fields, in the order in which nginx sends them."""
    return {
        "method": str(method),
        "path": str(path),
        "status": int(status),
        "problem": str(problem)[:50],
        "milliseconds": int(milliseconds),
        "bytes_in": int(bytes_in),
        "bytes_out": int(bytes_out),
    }
