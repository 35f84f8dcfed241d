"""Auth types: which credentials a person enters, and how a request is authenticated.

Calling code takes the strategy from ``AUTH_TYPES`` and never checks which one it is.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectors.definitions.schema import (
    ApiKeyAuth,
    BasicAuth,
    Connector,
    CredentialField,
    OAuth2Auth,
)
from connectors.definitions.templates import fill
from connectors.errors import ServiceForbidden

Settings = OAuth2Auth | BasicAuth | ApiKeyAuth


@dataclass(frozen=True, kw_only=True)
class Signed:
    """The headers and query parameters that authenticate a request."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class AuthStrategy:
    """One auth type.

    If ``redirects`` is true, the person goes to the service's consent page instead of filling in
    a form. ``credential`` is what messages call the credential.
    """

    redirects: bool
    credential: str
    settings_in: Callable[[Connector], Settings | None]

    def settings_for(self, connector: Connector) -> Settings:
        """Return the connector's settings for this auth type, or raise ``LookupError``."""
        settings = self.settings_in(connector)
        if settings is None:
            raise LookupError(f"{connector.slug} cannot be authorized in this way")
        return settings

    def fields(self, connector: Connector) -> tuple[CredentialField, ...]:
        """Return the fields of the credentials form; empty if the service has a consent page."""
        settings = self.settings_for(connector)
        return () if isinstance(settings, OAuth2Auth) else settings.fields

    def public(self, connector: Connector, secret: Mapping[str, str]) -> dict[str, str]:
        """Return the fields of a credential that are not secret, such as an account SID."""
        return {f.name: secret.get(f.name, "") for f in self.fields(connector) if not f.secret}

    def sign(self, connector: Connector, secret: Mapping[str, str]) -> Signed:
        """Return the headers or query parameters that authenticate with ``secret``."""
        signing = self.settings_for(connector).signing
        if signing.basic_user or signing.basic_password:
            user = fill(signing.basic_user, secret)
            password = fill(signing.basic_password, secret)
            if ":" in user:
                # RFC 7617 section 2: the text after it would be read as the password.
                raise ServiceForbidden(
                    f"A user name for {connector.name} cannot contain a colon. Nothing was sent."
                )
            return Signed(headers={signing.header or "Authorization": basic(user, password)})
        value = fill(signing.value, secret)
        if signing.query:
            return Signed(params={signing.query: value})
        return Signed(headers={signing.header or "Authorization": value})


def basic(user: str, password: str) -> str:
    """Return the value of an ``Authorization`` header (RFC 7617, in UTF-8)."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode('ascii')}"


AUTH_TYPES: Mapping[str, AuthStrategy] = {
    "oauth2": AuthStrategy(
        redirects=True,
        credential="this authorization",
        settings_in=lambda connector: connector.oauth2,
    ),
    "basic": AuthStrategy(
        redirects=False,
        credential="this user name and password",
        settings_in=lambda connector: connector.basic,
    ),
    "api_key": AuthStrategy(
        redirects=False,
        credential="this key",
        settings_in=lambda connector: connector.api_key,
    ),
}


def strategy_of(auth_type: str) -> AuthStrategy:
    """Return the strategy of an auth type, as it is stored in a row."""
    return {str(known): strategy for known, strategy in AUTH_TYPES.items()}[auth_type]
