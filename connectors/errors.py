"""What can go wrong when a service is asked for something.

::

    ServiceError
     ├── ServiceUnreachable    no answer: name, connection, time-out, TLS
     ├── ServiceForbidden      the address is one the console never calls
     ├── ServiceUnintelligible an answer that is not what the protocol says
     └── ServiceRefused        a clear no
          ├── CredentialRefused    it is wrong, withdrawn or expired (`invalid_grant`, 401)
          └── ClientRefused        the OAuth client is wrong (`invalid_client`)

``str(error)`` is one sentence for a person, in the look of ``look.md``: who did what.
It never holds a response body, a token or an address with a query.
"""

from __future__ import annotations


class ServiceError(Exception):
    """A service did not do what it was asked; the message is fit to be shown."""

    #: False where the request may have reached the service although no answer came.
    certain = True

    def __init__(self, message: str, *, code: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.code = code  # the RFC's or the service's own error code, cut and cleaned
        self.status = status


class ServiceUnreachable(ServiceError):
    """No answer came. ``certain`` is True where nothing was sent."""

    def __init__(self, message: str, *, certain: bool) -> None:
        super().__init__(message)
        self.certain = certain


class ServiceForbidden(ServiceError):
    """The address is private, of another scheme, or not the connector's."""


class ServiceUnintelligible(ServiceError):
    """The answer was HTML, too large, compressed, redirected or lacked what it must hold."""

    certain = False


class ServiceRefused(ServiceError):
    """The service answered no, or with an error of its own (``status`` 5xx included)."""


class CredentialRefused(ServiceRefused):
    """The credential itself was refused; only a new authorization helps."""


class ClientRefused(ServiceRefused):
    """The OAuth client registered with the service was refused; a super admin can mend it."""
