"""How this console proves to a service which OAuth client it is (RFC 6749 section 2.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from connectors.api.auth_strategies import basic
from connectors.definitions.schema import Connector, OAuth2Auth, Revocation

Sign = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class ClientCredentials:
    """This console as registered with a service; a public client has no secret."""

    client_id: str
    client_secret: str = field(default="", repr=False)


def settings_of(connector: Connector) -> OAuth2Auth:
    """Return what the connector says about OAuth 2; ``LookupError`` if it has none."""
    if connector.oauth2 is None:
        raise LookupError(f"{connector.slug} does not speak OAuth 2")
    return connector.oauth2


def authentication(
    oauth2: OAuth2Auth, client: ClientCredentials, how: Revocation | None = None
) -> tuple[Sign | None, dict[str, str]]:
    """Return how the client proves itself: a signature or fields of the form, never both."""
    method: str = oauth2.token_endpoint_auth_method if client.client_secret else "none"
    if how and how.client_authentication != "as_token_endpoint":
        if how.client_authentication == "none":
            return None, {}
        method = how.client_authentication
    if method == "client_secret_basic":
        # RFC 6749 section 2.3.1: both are form-encoded first, or a colon would part them.
        value = basic(quote_plus(client.client_id), quote_plus(client.client_secret))
        return _Header(value=value), {}
    form = {oauth2.client_id_parameter: client.client_id}
    if method == "client_secret_post":
        form["client_secret"] = client.client_secret
    return None, form


@dataclass(frozen=True, kw_only=True)
class _Header:
    """Set the ``Authorization`` header of a request."""

    value: str = field(repr=False)

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = self.value
        return request
