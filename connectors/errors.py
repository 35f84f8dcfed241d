"""Errors of requests to services.

::

    ServiceError
     ├── ServiceUnreachable    no response: DNS, connection, timeout, TLS
     │    └── ServiceTimeout        the service took too long
     ├── ServiceBusy           too many calls to it are in progress
     │    └── ConsoleBusy           too many calls are in progress here, or for one caller
     ├── ServiceForbidden      the console must not call this URL
     ├── ServiceUnintelligible a response that does not follow the protocol
     │    └── ResponseTooLarge      it is larger than the limit
     └── ServiceRefused        the service refused the request
          ├── CredentialRefused    wrong, revoked or expired credential (`invalid_grant`, 401)
          └── ClientRefused        the OAuth client was refused (`invalid_client`)

``str(error)`` is a sentence that can be shown to people. It never contains a response body, a
token, or a URL with a query.
"""

from __future__ import annotations


class ServiceError(Exception):
    """A request to a service failed; the message can be shown to people."""

    #: False if the request may have reached the service although no response came.
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
        self.code = code  # the error code of the RFC or the service, shortened and cleaned
        self.status = status
        self.retry_after = retry_after  # seconds to wait before the next attempt


class ServiceUnreachable(ServiceError):
    """No response came. ``certain`` is true if nothing was sent."""

    def __init__(self, message: str, *, certain: bool) -> None:
        super().__init__(message)
        self.certain = certain


class ServiceTimeout(ServiceUnreachable):
    """The service did not respond, or stopped responding, within the time limit."""


class ServiceBusy(ServiceError):
    """Nothing was sent: too many calls to this service are in progress."""


class ConsoleBusy(ServiceBusy):
    """Nothing was sent: too many calls are in progress here, or for this caller."""


class ServiceForbidden(ServiceError):
    """The URL is private, uses another scheme, or does not belong to the connector."""


class ServiceUnintelligible(ServiceError):
    """The response was HTML, too large, damaged, a redirect, or incomplete."""

    certain = False


class ResponseTooLarge(ServiceUnintelligible):
    """The response is larger than the limit; the rest of it was not read."""


class ServiceRefused(ServiceError):
    """The service refused the request, or reported an error (``status`` 5xx included)."""


class CredentialRefused(ServiceRefused):
    """The credential was refused; a new authorization is needed."""


class ClientRefused(ServiceRefused):
    """The OAuth client registered with the service was refused; a super admin can fix it."""
