"""Problem details (RFC 9457): the error responses of the runtime API, and what maps to them."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse

from connections.calls.errors import AuthorizationRequired, CallRefused
from connections.credentials.refreshing import NotRenewed
from connectors.errors import (
    ConsoleBusy,
    CredentialRefused,
    ResponseTooLarge,
    ServiceBusy,
    ServiceError,
    ServiceForbidden,
    ServiceTimeout,
    ServiceUnintelligible,
)
from console.encryption.fernet_keys import SecretUnreadable
from console.keys.errors import AuthenticationFailed
from console.runtime.problem_types import PROBLEM_TYPES

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1
#: The problem types of what services do wrong; the first match wins.
_SERVICE_ERRORS: tuple[tuple[type[ServiceError], str], ...] = (
    (NotRenewed, "renewal-failed"),
    (ServiceTimeout, "service-timeout"),
    (ConsoleBusy, "console-busy"),
    (ServiceBusy, "service-busy"),
    (ServiceForbidden, "service-forbidden"),
    (ResponseTooLarge, "answer-too-large"),
    (ServiceUnintelligible, "answer-unintelligible"),
    (CredentialRefused, "authorization-broken"),
    (ServiceError, "service-unreachable"),
)


class Problem(Exception):
    """An error response of the API.

    ``members`` are extension members of the document, such as ``authorize_url``.
    """

    def __init__(
        self,
        slug: str,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        self.type = PROBLEM_TYPES[slug]
        self.detail = detail or self.type.meaning
        self.members = members
        self.headers = {
            "Content-Type": MEDIA_TYPE,
            # Services may answer with problem documents, too: this one is the console's.
            "Console-Problem": slug,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **(headers or {}),
        }
        super().__init__(self.detail)

    @property
    def status(self) -> int:
        return self.type.status

    @property
    def document(self) -> dict[str, Any]:
        return {
            "type": self.type.uri,
            "title": self.type.title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }

    @property
    def body(self) -> bytes:
        return json.dumps(self.document, ensure_ascii=False).encode()

    @property
    def response(self) -> HttpResponse:
        return HttpResponse(self.body, status=self.status, headers=self.headers)


def problem_of(error: Exception, request_id: str = "") -> Problem:
    """Return the problem for an exception; unexpected ones are logged with the request ID."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, AuthenticationFailed):
        return Problem(error.slug, str(error), headers=error.headers)
    if isinstance(error, AuthorizationRequired):
        code: dict[str, Any] = {"reason_code": error.reason_code} if error.reason_code else {}
        return Problem(error.slug, str(error), authorize_url=error.authorize_url, **code)
    if isinstance(error, CallRefused):
        return Problem(error.slug, str(error))
    if isinstance(error, OperationalError | InterfaceError | SecretUnreadable):
        logger.error("Request %s: %s", request_id, type(error).__name__)
        return Problem("unavailable", headers={"Retry-After": str(RETRY_SECONDS)})
    if isinstance(error, ServiceError):
        slug = next(slug for kind, slug in _SERVICE_ERRORS if isinstance(error, kind))
        seconds = error.retry_after
        headers = {"Retry-After": str(max(1, round(seconds)))} if seconds else None
        return Problem(slug, str(error), headers=headers)
    logger.error("Request %s failed", request_id, exc_info=error)
    return Problem("internal-error")


@lru_cache(maxsize=100)
def status_line(status: int) -> str:
    """Return a status as WSGI expects it, even for a status that is not in the standard."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Status"
