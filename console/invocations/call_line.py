"""A line of the call log that is not written yet."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import NamedTuple

HOST_LENGTH, PATH_LENGTH = 255, 500


class CallContext(NamedTuple):
    """What the calls of one program through one connection have in common."""

    organization_id: uuid.UUID
    application_id: uuid.UUID
    #: None if there is no connection with the link name.
    connection_id: uuid.UUID | None
    environment: str
    user_id: uuid.UUID | None
    key_prefix: str
    host: str
    #: The slug; empty without a connection. Metrics have it, the log does not.
    connector: str


class CallLine(NamedTuple):
    """One call. ``path`` has no query string; ``at`` is when the call ended, in UTC."""

    context: CallContext
    method: str
    path: str
    status: int
    problem: str
    milliseconds: int
    bytes_in: int
    bytes_out: int
    refreshed: bool
    at: datetime
