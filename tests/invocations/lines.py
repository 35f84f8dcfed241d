"""Lines of the call log that no call has made."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone

from console.invocations.call_line import CallContext, CallLine

NOBODY = UUID(int=0)


def call_line(connection: Any = None, **fields: Any) -> CallLine:
    """Return a line of a call through a connection; ``fields`` are those of line and context."""
    context = CallContext(
        organization_id=connection.application.organization_id if connection else NOBODY,
        application_id=connection.application_id if connection else NOBODY,
        connection_id=connection.pk if connection else None,
        environment="development",
        user_id=None,
        key_prefix="ck_dev_abc",
        host="api.example.com",
        connector=connection.connector_slug if connection else "",
    )
    line = CallLine(context, "GET", "/contacts", 200, "", 40, 0, 0, False, timezone.now())
    shared = {name: value for name, value in fields.items() if name in CallContext._fields}
    own = {name: value for name, value in fields.items() if name not in CallContext._fields}
    return line._replace(context=context._replace(**shared), **own)


def fields_of(line: CallLine) -> dict[str, Any]:
    """Return the fields of a line and of its context in one dictionary."""
    return {**line.context._asdict(), **line._asdict()}
