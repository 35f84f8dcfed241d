"""What can go wrong when a service is asked for something.

::

    ServiceError
     ├── ServiceUnreachable    no answer: name, connection, time-out, TLS
     │    └── ServiceTimeout        it took longer than it may
     ├── ServiceBusy           as many calls as may wait for it at once already do
     │    └── ConsoleBusy           as many as may be under way here at all, or for one caller
     ├── ServiceForbidden      the address is one the console never calls
     ├── ServiceUnintelligible an answer that is not what the protocol says
     │    └── AnswerTooLarge        it holds more than may be passed on
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

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code  # the RFC's or the service's own error code, cut and cleaned
        self.status = status
        self.retry_after = retry_after  # in so many seconds it may go better


class ServiceUnreachable(ServiceError):
    """No answer came. ``certain`` is True where nothing was sent."""

    def __init__(self, message: str, *, certain: bool) -> None:
        super().__init__(message)
        self.certain = certain


class ServiceTimeout(ServiceUnreachable):
    """It did not answer, or did not go on answering, in the time that it has."""


class ServiceBusy(ServiceError):
    """Nothing was sent: too many calls wait for this service already."""


class ConsoleBusy(ServiceBusy):
    """Nothing was sent: too many calls are under way here, or for this caller."""


class ServiceForbidden(ServiceError):
    """The address is private, of another scheme, or not the connector's."""


class ServiceUnintelligible(ServiceError):
    """The answer was HTML, too large, damaged, redirected or lacked what it must hold."""

    certain = False


class AnswerTooLarge(ServiceUnintelligible):
    """The answer is larger than it may be; what is left of it was not read."""


class ServiceRefused(ServiceError):
    """The service answered no, or with an error of its own (``status`` 5xx included)."""


class CredentialRefused(ServiceRefused):
    """The credential itself was refused; only a new authorization helps."""


class ClientRefused(ServiceRefused):
    """The OAuth client registered with the service was refused; a super admin can mend it."""
