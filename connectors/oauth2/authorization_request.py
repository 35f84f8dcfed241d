"""Authorization request: the URL of the service's consent page, and PKCE.

RFC 6749 section 4.1.1 and RFC 7636.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

from oauthlib.oauth2 import WebApplicationClient
from requests_oauthlib import OAuth2Session

from connectors.definitions.schema import Connector, OAuth2Auth
from connectors.definitions.templates import fill, fill_url
from connectors.http.ssrf import validate_url
from connectors.oauth2.client_authentication import oauth2_settings


def new_code_verifier() -> str:
    """Return a new code verifier: 43 characters, 256 random bits (RFC 7636 section 4.1)."""
    return secrets.token_urlsafe(32)


def authorization_url(
    connector: Connector,
    *,
    client_id: str,
    redirect_uri: str,
    scopes: Sequence[str],
    state: str,
    code_verifier: str | None,
    values: Mapping[str, str],
) -> str:
    """Return the URL that the person's browser is sent to (RFC 6749 section 4.1.1).

    The S256 challenge of ``code_verifier`` is added if the service supports PKCE (RFC 7636
    section 4.3).
    """
    oauth2 = oauth2_settings(connector)
    endpoint = fill_url(oauth2.authorization_endpoint, values)
    validate_url(endpoint, service=connector.name)
    extra = {name: fill(value, values) for name, value in oauth2.authorize_parameters.items()}
    if scopes:
        extra[oauth2.scope_parameter] = oauth2.scope_separator.join(scopes)
    client = WebApplicationClient(client_id)
    if oauth2.pkce and code_verifier:
        extra["code_challenge"] = client.create_code_challenge(code_verifier, "S256")
        extra["code_challenge_method"] = "S256"
    session = OAuth2Session(
        client=client, redirect_uri=redirect_uri, scope=extra.pop("scope", None)
    )
    url, _ = session.authorization_url(endpoint, state=state, **extra)
    return _with_own_client_id_name(url, oauth2)


def _with_own_client_id_name(url: str, oauth2: OAuth2Auth) -> str:
    """Rename ``client_id`` in the query to the service's own name for it."""
    if oauth2.client_id_parameter == "client_id":
        return url
    base, _, query = url.rpartition("?")
    renamed = [
        (oauth2.client_id_parameter if name == "client_id" else name, value)
        for name, value in parse_qsl(query, keep_blank_values=True)
    ]
    return f"{base}?{urlencode(renamed)}"
