"""The ways to authorize: what a person must give, and how a request is signed.

Calling code takes the strategy out of ``AUTH_TYPES`` and never asks which one it has.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectors.definitions.schema import (
    ApiKeyAuth,
    AuthType,
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
    """What a signature adds to a request."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class AuthStrategy:
    """One way to authorize.

    ``redirects`` tells that the person goes to the service's own page instead of filling in
    a form; ``credential`` names in a sentence what the service may refuse.
    """

    redirects: bool
    credential: str
    part: Callable[[Connector], Settings | None]

    def settings_of(self, connector: Connector) -> Settings:
        """Return what the connector says about this way; ``LookupError`` if it has none."""
        settings = self.part(connector)
        if settings is None:
            raise LookupError(f"{connector.slug} cannot be authorized in this way")
        return settings

    def fields(self, connector: Connector) -> tuple[CredentialField, ...]:
        """List the boxes of the credentials form; empty where the service has its own page."""
        settings = self.settings_of(connector)
        return () if isinstance(settings, OAuth2Auth) else settings.fields

    def public(self, connector: Connector, secret: Mapping[str, str]) -> dict[str, str]:
        """Return the fields of a credential that are no secret, such as an account SID."""
        return {f.name: secret.get(f.name, "") for f in self.fields(connector) if not f.secret}

    def sign(self, connector: Connector, secret: Mapping[str, str]) -> Signed:
        """Return the headers and parameters that carry ``secret`` to the API."""
        signing = self.settings_of(connector).signing
        if signing.basic_user or signing.basic_password:
            user = fill(signing.basic_user, secret)
            password = fill(signing.basic_password, secret)
            if ":" in user:
                # RFC 7617 section 2: the rest of it would be read as the password.
                raise ServiceForbidden(
                    f"A user name for {connector.name} cannot hold a colon. Nothing was sent."
                )
            return Signed(headers={signing.header or "Authorization": basic(user, password)})
        value = fill(signing.value, secret)
        if signing.query:
            return Signed(params={signing.query: value})
        return Signed(headers={signing.header or "Authorization": value})


def basic(user: str, password: str) -> str:
    """Return the value of an ``Authorization`` header (RFC 7617, in UTF-8)."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode('ascii')}"


AUTH_TYPES: Mapping[AuthType, AuthStrategy] = {
    "oauth2": AuthStrategy(
        redirects=True,
        credential="this authorization",
        part=lambda connector: connector.oauth2,
    ),
    "basic": AuthStrategy(
        redirects=False,
        credential="this user name and password",
        part=lambda connector: connector.basic,
    ),
    "api_key": AuthStrategy(
        redirects=False,
        credential="this key",
        part=lambda connector: connector.api_key,
    ),
}


def strategy_of(auth_type: str) -> AuthStrategy:
    """Return the strategy of an auth type, as it is stored in a row."""
    return {str(known): strategy for known, strategy in AUTH_TYPES.items()}[auth_type]
