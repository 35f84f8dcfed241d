"""Lines of the call log that nginx has collected."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from console.choices import Environment
from console.invocations.log_writer import PATH_LENGTH, note_all
from console.monitoring.metrics import DROPPED

_IDS = ("organization_id", "application_id", "connection_id")


def note_lines(routes: Sequence[Any], lines: Sequence[Any], dropped: int) -> None:
    """Write lines to the call log; those that are not valid are counted as dropped.

    The last item of a line is the number of its route, counted from 1.
    """
    by_route: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        try:
            by_route[line[-1]].append(_call(*line[:-1]))
        except (IndexError, TypeError, ValueError):
            dropped += 1
    for number, calls in by_route.items():
        try:
            route = routes[number - 1]
            shared, connector = _shared(route), str(route["connector"])
            base_path = str(route["base_path"])
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            dropped += len(calls)
        else:
            for call in calls:
                call["path"] = (f"{base_path}{call['path']}" or "/")[:PATH_LENGTH]
            note_all(shared, calls, connector=connector)
    DROPPED.inc(max(0, dropped))


def _shared(route: Any) -> dict[str, Any]:
    """Return the fields that all calls of a route share."""
    return {
        **{name: uuid.UUID(route[name]) for name in _IDS},
        "host": str(route["host"])[:255],
        "key_prefix": str(route["key_prefix"]),
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
        "method": str(method)[:20],
        "path": str(path),
        "status": int(status),
        "problem": str(problem)[:60],
        "milliseconds": int(milliseconds),
        "bytes_in": int(bytes_in),
        "bytes_out": int(bytes_out),
    }
