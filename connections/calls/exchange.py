"""One call through a connection: what goes out, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from connectors.http.payloads import parse_json
from console.choices import Environment


@dataclass(frozen=True, kw_only=True)
class ServiceRequest:
    """A call whose placeholders are filled; values in ``path`` are percent-encoded."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What was sent and what came, every secret masked, or why nothing did.

    ``status`` is 0 where no answer came. ``problem`` is a sentence or two for a person, and
    ``authorize_url`` leads to what mends it, where an authorization does.
    """

    connection: str
    service: str
    environment: Environment
    method: str
    address: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    status: int = 0
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    answer_body: str = ""
    milliseconds: int = 0
    problem: str = ""
    authorize_url: str = ""

    @property
    def was_sent(self) -> bool:
        """Tell whether it came as far as asking the service."""
        return bool(self.headers)

    @property
    def has_failed(self) -> bool:
        """Tell whether no call can go on from here."""
        return bool(self.problem) or self.status >= 400

    @property
    def status_words(self) -> str:
        """Return the status with its name (RFC 9110 section 15)."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)

    @property
    def answer(self) -> Any:
        """Return the JSON of the answer, or its text where it is none."""
        try:
            return parse_json(self.answer_body.encode())
        except ValueError:
            return self.answer_body
