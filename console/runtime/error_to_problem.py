"""Turn what went wrong with a call into the problem that the program is told."""

from __future__ import annotations

import logging

from django.db import InterfaceError, OperationalError

from connections.calls.lookup import LicenseEnded, NoSuchConnection
from connections.calls.prepared_call import NotAuthorized, Unavailable, UserRequired
from connections.calls.proxying import AddressTooLong, HeaderRefused, MethodRefused, PathRefused
from connections.credentials.refreshing import NotRenewed
from connectors.errors import (
    AnswerTooLarge,
    ConsoleBusy,
    CredentialRefused,
    ServiceBusy,
    ServiceError,
    ServiceForbidden,
    ServiceTimeout,
    ServiceUnintelligible,
)
from console.encryption.fernet_keys import SecretUnreadable
from console.keys.errors import AuthenticationFailed
from console.runtime.problem_details import Problem

logger = logging.getLogger(__name__)

#: The first that fits counts.
_SLUGS: tuple[tuple[type[Exception], str], ...] = (
    (NoSuchConnection, "connection-not-found"),
    (LicenseEnded, "license-ended"),
    (UserRequired, "user-token-required"),
    (PathRefused, "path-refused"),
    (AddressTooLong, "address-too-long"),
    (HeaderRefused, "header-refused"),
    (MethodRefused, "method-not-allowed"),
    (Unavailable, "service-gone"),
    (NotRenewed, "renewal-failed"),
    (ServiceTimeout, "service-timeout"),
    (ConsoleBusy, "console-busy"),
    (ServiceBusy, "service-busy"),
    (ServiceForbidden, "service-forbidden"),
    (AnswerTooLarge, "answer-too-large"),
    (ServiceUnintelligible, "answer-unintelligible"),
    (CredentialRefused, "authorization-broken"),
    (ServiceError, "service-unreachable"),
)
RETRY_SECONDS = 1


def problem_of(error: Exception, request_id: str) -> Problem:
    """Return the problem for an exception; what nobody has thought of is logged by its request."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, AuthenticationFailed):
        return Problem.of(error)
    if isinstance(error, NotAuthorized):
        slug = "authorization-broken" if error.broken else "authorization-required"
        return Problem(slug, str(error), authorize_url=error.authorize_url)
    if isinstance(error, OperationalError | InterfaceError | SecretUnreadable):
        logger.error("Request %s: %s", request_id, type(error).__name__)
        return Problem("unavailable", headers={"Retry-After": str(RETRY_SECONDS)})
    for kind, slug in _SLUGS:
        if isinstance(error, kind):
            seconds = getattr(error, "retry_after", None)
            headers = {"Retry-After": str(max(1, round(seconds)))} if seconds else None
            return Problem(slug, str(error), headers=headers)
    logger.error("Request %s failed", request_id, exc_info=error)
    return Problem("internal-error")
