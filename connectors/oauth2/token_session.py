"""The session for all requests to a service's token and revocation endpoints.

It is an ``OAuth2Session`` of requests-oauthlib with the guarded transport adapter mounted. What
services do differently is handled by compliance hooks, as the library's documentation describes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from oauthlib.oauth2 import Client, WebApplicationClient
from requests_oauthlib import OAuth2Session

from connectors.definitions.schema import Connector
from connectors.http.http_client import GuardedSession, Response, response_values
from connectors.oauth2.client_authentication import (
    ClientCredentials,
    authentication,
    oauth2_settings,
)
from connectors.oauth2.token_response import TokenResponse, parse_token_response

Journal = Callable[[bytes], None]


class TokenSession(GuardedSession, OAuth2Session):
    """A session for one request to a service, as the OAuth client ``client``.

    ``fetch_token`` and ``refresh_token`` set ``token_response``, or raise ``ServiceError``.
    ``journal`` receives the raw body of a successful response before it is parsed. ``secrets``
    are masked in error messages. ``form`` is added to the body of a code exchange.
    """

    token_response: TokenResponse

    def __init__(
        self,
        connector: Connector,
        client: ClientCredentials,
        values: Mapping[str, str],
        *,
        oauth_client: Client | None = None,
        redirect_uri: str | None = None,
        secrets: tuple[str, ...] = (),
        refreshing: bool = False,
        journal: Journal | None = None,
        form: Mapping[str, str] | None = None,
        body_format: Literal["form", "json"] = "form",
    ) -> None:
        super().__init__(
            service=connector.name,
            client=oauth_client or WebApplicationClient(client.client_id),
            redirect_uri=redirect_uri,
        )
        self.connector, self.oauth2 = connector, oauth2_settings(connector)
        self.client, self.values, self.form = client, values, form or {}
        self.client_auth, self.client_fields = authentication(self.oauth2, client)
        self.secrets = (*secrets, client.client_secret)
        self.refreshing, self.journal, self.body_format = refreshing, journal, body_format
        # Any: the published types do not know the hook of token requests.
        hooks: dict[Any, Any] = {
            "access_token_request": self._adapt_request,
            "access_token_response": self._parse_response,
            "refresh_token_response": self._parse_response,
        }
        for name, hook in hooks.items():
            self.register_compliance_hook(name, hook)

    def request(self, *args: Any, **kwargs: Any) -> Response:
        """Send the body as JSON if the service wants that: no hook can do it for a refresh.

        The body and the headers must be keyword arguments, as they are in the library's requests.
        """
        if self.body_format == "json":
            kwargs["json"] = kwargs.pop("data", None)
            kwargs["headers"] = {"Accept": "application/json"}
        return super().request(*args, **kwargs)

    def _adapt_request(
        self, url: str, headers: Mapping[str, str], arguments: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, str], dict[str, Any]]:
        """Compliance hook: use the service's name for the client ID, and add its own fields."""
        place = "params" if "params" in arguments else "data"
        fields = {**arguments[place], **self.form}
        if "client_id" in fields:
            fields[self.oauth2.client_id_parameter] = fields.pop("client_id")
        return url, headers, {**arguments, place: fields}

    def _parse_response(self, response: Response) -> Response:
        """Compliance hook: journal and parse the response, and leave standard JSON to the library.

        The library itself reads the body before the status, and takes a changed scope for an
        error. So it gets only the token, which has been checked.
        """
        values = response_values(response, service=self.service)
        if self.journal and values.status < 300:
            self.journal(values.body)
        self.token_response = parse_token_response(
            self.connector,
            self.oauth2,
            values,
            values=self.values,
            secrets=self.secrets,
            refreshing=self.refreshing,
        )
        standard = {"access_token": self.token_response.access_token, "token_type": "Bearer"}
        # As the library's own fixes for Slack, Facebook and others do it.
        response._content, response.encoding = json.dumps(standard).encode(), "utf-8"
        return response
