"""Exceptions for calls that the console does not pass on.

requests.RequestException
└── ConsoleProblem            the console answered: ``slug``, ``detail``, ``status``
    ├── AuthorizationRequired     a person has to authorize at ``url``
    ├── KeyRefused                the key is wrong, revoked, or in the URL
    ├── UserTokenRefused          the person's token is missing, expired, or for another application
    ├── LicenseEnded              the client may no longer use the application
    ├── NotThere                  no such connection or function in the key's environment
    └── ServiceUnavailable        the service, or the console, cannot answer now

RunStopped                    a function ran and stopped: ``problem``, ``document``

Code that catches ``requests.RequestException`` already catches a call that was never made.
"""

from __future__ import annotations

from typing import Any

import requests

#: Only the console sets it: it removes it from responses of services.
MARK = "Console-Problem"


class ConsoleProblem(requests.RequestException):
    """The console answered, and not the service (RFC 9457)."""

    def __init__(self, document: dict[str, Any], response: requests.Response) -> None:
        self.document = document
        self.slug = str(document.get("type", "")).rpartition("/")[2]
        self.title = str(document.get("title", ""))
        self.detail = str(document.get("detail", ""))
        self.status = response.status_code
        super().__init__(self.detail or self.title, response=response)


class AuthorizationRequired(ConsoleProblem):
    """A person has to authorize the connection first."""

    @property
    def url(self) -> str:
        """Return the URL where they can."""
        return str(self.document.get("authorize_url", ""))


class KeyRefused(ConsoleProblem):
    """The console does not accept the key."""


class UserTokenRefused(ConsoleProblem):
    """The call must name a person, or the token is no longer valid."""


class LicenseEnded(ConsoleProblem):
    """The license of the client has ended; the key works again once it is extended."""


class NotThere(ConsoleProblem):
    """There is no such connection or function in the key's environment."""


class ServiceUnavailable(ConsoleProblem):
    """The service or the console cannot answer now; ``detail`` says whether anything was sent."""


class RunStopped(Exception):
    """A function ran and stopped at its first failure; completed calls are not undone."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.problem = str(document.get("problem", ""))
        self.answer = document.get("answer")
        super().__init__(self.problem)


_TYPES: dict[str, type[ConsoleProblem]] = {
    "authorization-required": AuthorizationRequired,
    "authorization-broken": AuthorizationRequired,
    "key-refused": KeyRefused,
    "key-in-address": KeyRefused,
    "too-many-wrong-keys": KeyRefused,
    "user-token-required": UserTokenRefused,
    "user-token-refused": UserTokenRefused,
    "license-ended": LicenseEnded,
    "connection-not-found": NotThere,
    "function-not-found": NotThere,
    "not-found": NotThere,
}


def raise_problem(response: requests.Response) -> None:
    """Raise the console's own errors; responses of services are left as they are."""
    if MARK not in response.headers:
        return
    slug = response.headers[MARK]
    try:
        document = response.json()
    except ValueError:  # a HEAD has no body
        document = {"type": slug, "title": slug.replace("-", " ").capitalize()}
    finally:
        response.close()
    unavailable = ServiceUnavailable if response.status_code >= 500 else ConsoleProblem
    raise _TYPES.get(slug, unavailable)(document, response)
