"""Why a call through a connection is not made, as a small tree.

CallRefused
├── ConnectionNotFound       no connection of this link name in the environment
├── ConnectionDisabled       a developer has disabled the connection
├── LicenseEnded             the license of the installed application has ended
├── UserTokenRequired        each person authorizes the connection, and the call names nobody
├── ServiceRemoved           the service is no longer in the catalog
├── AuthorizationRequired    a person has to authorize the connection
│    └── AuthorizationBroken    and there is an authorization that stopped working
├── MethodRefused, PathRefused, UrlTooLong, HeaderRefused    the request cannot be sent

``slug`` is the last part of the problem type in the runtime API; the message is one or two
sentences that a program can log and a person can read. What services do wrong is a
:class:`connectors.errors.ServiceError`.
"""

from __future__ import annotations

from typing import ClassVar

from connections.authorizations.connection_state import ConnectionState
from console.public_url import public_url


class CallRefused(Exception):
    """The console does not make this call; nothing was sent."""

    slug: ClassVar[str]


class ConnectionNotFound(CallRefused):
    """No connection of this link name exists in the environment."""

    slug = "connection-not-found"


class ConnectionDisabled(CallRefused):
    """A developer has disabled the connection; it keeps its authorizations."""

    slug = "connection-disabled"


class LicenseEnded(CallRefused):
    """The license of an installed application has ended."""

    slug = "license-ended"

    def __init__(self, application: str = "this application") -> None:
        super().__init__(
            f"The license of {application} has ended, so no calls are made. The organization "
            "that shared it can extend the license; then everything works as before."
        )


class UserTokenRequired(CallRefused):
    """Each person authorizes this connection, and the request does not name a person."""

    slug = "user-token-required"

    def __init__(self, connection: str) -> None:
        super().__init__(
            f"Each person uses their own authorization of {connection}, and this request does "
            "not name a person. Send the person's token as “Console-User: <token>”."
        )


class ServiceRemoved(CallRefused):
    """The service of the connection is no longer in the catalog."""

    slug = "service-gone"


class AuthorizationRequired(CallRefused):
    """The connection works once a person has authorized it at ``authorize_url``."""

    slug = "authorization-required"

    def __init__(self, message: str, state: ConnectionState, reason_code: str = "") -> None:
        super().__init__(message)
        self.reason_code = reason_code or state.reason_code
        self.authorize_url = state.build_authorize_url(public_url)


class AuthorizationBroken(AuthorizationRequired):
    """The connection was authorized, and the authorization has stopped working."""

    slug = "authorization-broken"


class MethodRefused(CallRefused):
    """The method has a meaning for proxies themselves, or is not a method."""

    slug = "method-not-allowed"


class PathRefused(CallRefused):
    """The path leads out of the service's API, or cannot be sent."""

    slug = "path-refused"


class UrlTooLong(CallRefused):
    """Path and query together are longer than the console sends."""

    slug = "address-too-long"


class HeaderRefused(CallRefused):
    """A header holds characters that cannot be sent."""

    slug = "header-refused"
