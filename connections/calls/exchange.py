"""Values of a call through a connection: the request, and the exchange that people see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from connectors.http.payloads import parse_json
from console.choices import Environment


@dataclass(frozen=True, kw_only=True)
class ServiceRequest:
    """A request whose placeholders are filled; values in ``path`` are percent-encoded."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """Request and response with secrets redacted, or why there was none.

    ``status`` is 0 if there was no response. ``problem`` is a sentence or two for a person.
    ``authorize_url`` is set if an authorization fixes it. ``missing_scopes`` are those that the
    service named in its answer, and ``fix_url`` is the page that adds them.
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
    reason_code: str = ""
    missing_scopes: tuple[str, ...] = ()
    fix_url: str = ""
    fix_label: str = ""

    @property
    def was_sent(self) -> bool:
        """Tell whether a request was sent to the service."""
        return bool(self.headers)

    @property
    def has_failed(self) -> bool:
        """Tell whether a run has to stop at this call."""
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
        """Return the JSON of the response, or its text if it is not JSON."""
        try:
            return parse_json(self.answer_body.encode())
        except ValueError:
            return self.answer_body
