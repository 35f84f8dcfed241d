"""Authenticate as an OAuth client (RFC 6749 section 2.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from connectors.api.auth_strategies import basic
from connectors.definitions.schema import Connector, OAuth2Auth, Revocation

Authentication = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class ClientCredentials:
    """The OAuth client registered with a service. A public client has no secret."""

    client_id: str
    client_secret: str = field(default="", repr=False)


def oauth2_settings(connector: Connector) -> OAuth2Auth:
    """Return the connector's OAuth 2 settings; raise ``LookupError`` if it has none."""
    if connector.oauth2 is None:
        raise LookupError(f"{connector.slug} does not support OAuth 2")
    return connector.oauth2


def no_authentication(request: Any) -> Any:
    """Leave a request as it is. Without ``auth``, the library would add Basic authentication."""
    return request


def authentication(
    oauth2: OAuth2Auth, client: ClientCredentials, revocation: Revocation | None = None
) -> tuple[Authentication | None, dict[str, str]]:
    """Return a header for the client's authentication or fields of the form, never both.

    ``revocation`` may name another method for revocation requests.
    """
    method: str = oauth2.token_endpoint_auth_method if client.client_secret else "none"
    if revocation and revocation.client_authentication != "as_token_endpoint":
        if revocation.client_authentication == "none":
            return None, {}
        method = revocation.client_authentication
    if method == "client_secret_basic":
        # RFC 6749 section 2.3.1: form-encode both, so that neither can hold a colon.
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
