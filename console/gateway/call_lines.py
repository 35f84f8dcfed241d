"""Lines of the call log that nginx has collected."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from console.choices import Environment
from console.invocations.call_line import HOST_LENGTH, CallContext
from console.invocations.log_writer import note
from console.monitoring.metrics import DROPPED

#: What is wrong with a route or a line that nginx did not write.
_INVALID = (AttributeError, IndexError, KeyError, TypeError, ValueError)


def note_lines(routes: Sequence[Any], lines: Sequence[Any], dropped: int) -> None:
    """Write lines to the call log; those that are not valid are counted as dropped.

    The last item of a line is the number of its route, counted from 1.
    """
    known = {number: read for number, route in enumerate(routes, start=1) if (read := _read(route))}
    now = timezone.now()
    for line in lines:
        try:
            method, path, status, problem, milliseconds, bytes_in, bytes_out, number = line
            context, base_path = known[number]
            note(
                context,
                method=str(method),
                path=f"{base_path}{path}" or "/",
                status=int(status),
                problem=str(problem)[:60],
                milliseconds=int(milliseconds),
                bytes_in=int(bytes_in),
                bytes_out=int(bytes_out),
                at=now,
            )
        except _INVALID:
            dropped += 1
    DROPPED.inc(max(0, dropped))


def _read(route: Any) -> tuple[CallContext, str] | None:
    """Return what the calls of a route share and their base path, or None if it is not valid."""
    try:
        context = CallContext(
            organization_id=uuid.UUID(route["organization_id"]),
            application_id=uuid.UUID(route["application_id"]),
            connection_id=uuid.UUID(route["connection_id"]),
            environment=Environment(route["environment"]).value,
            user_id=uuid.UUID(route["user_id"]) if route["user_id"] else None,
            key_prefix=str(route["key_prefix"]),
            host=str(route["host"])[:HOST_LENGTH],
            connector=str(route["connector"]),
        )
        return context, str(route["base_path"])
    except _INVALID:
        return None
