"""What keeps the console from passing a call on, as exceptions.

requests.RequestException
└── ConsoleProblem            the console answered itself: ``slug``, ``detail``, ``status``
    ├── AuthorizationRequired     a person has to authorize: lead him to ``url``
    ├── KeyRefused                the key is wrong, revoked, or stands in an address
    ├── UserTokenRefused          the token of the person is missing, expired, or another place's
    ├── LicenseEnded              the client may not use the application any more
    ├── NotThere                  no such connection or function in the key's environment
    └── ServiceUnavailable        the service, or the console, cannot answer now

RunStopped                    a function ran and stopped: ``problem``, ``document``

Code that catches ``requests.RequestException`` already catches a call that was never made.
"""

from __future__ import annotations

from typing import Any

import requests

#: The console alone sets it: it takes it off the answers of services.
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
        """Return where he can."""
        return str(self.document.get("authorize_url", ""))


class KeyRefused(ConsoleProblem):
    """The console does not take the key."""


class UserTokenRefused(ConsoleProblem):
    """The call has to name a person, or the token names none any more."""


class LicenseEnded(ConsoleProblem):
    """The license of the client whose key this is has ended; the key works when it is prolonged."""


class NotThere(ConsoleProblem):
    """The key's environment holds no such connection or function."""


class ServiceUnavailable(ConsoleProblem):
    """The service or the console cannot answer now; ``detail`` says whether anything was sent."""


class RunStopped(Exception):
    """A function ran and stopped at its first failure; what was done stays done."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.problem = str(document.get("problem", ""))
        self.answer = document.get("answer")
        super().__init__(self.problem)


_KINDS: dict[str, type[ConsoleProblem]] = {
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
    """Raise what the console says of itself; an answer of a service passes, whatever it is."""
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
    raise _KINDS.get(slug, unavailable)(document, response)
