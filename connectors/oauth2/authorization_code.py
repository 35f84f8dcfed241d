"""Speak OAuth 2 as a client (RFC 6749, 7636, 7009).

requests-oauthlib builds and sends the requests; here its traps are closed: it reads the
body before the status, takes a changed scope for an error, insists on https in its own
way, and writes tokens to its log. What it would read is read by ``token_response.py`` instead.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from oauthlib.oauth2 import WebApplicationClient
from requests_oauthlib import OAuth2Session

from connectors.definitions.schema import Connector, OAuth2Auth
from connectors.definitions.templates import fill, fill_url
from connectors.http import http_client
from connectors.http.ssrf import judge_url
from connectors.oauth2.client_authentication import ClientCredentials, authentication, settings_of
from connectors.oauth2.revocation import RevocationAnswer, revoke
from connectors.oauth2.token_exchange import lasting, trade
from connectors.oauth2.token_response import TokenAnswer, kept_from_callback, read_token_answer

__all__ = [
    "ClientCredentials",
    "RevocationAnswer",
    "TokenAnswer",
    "authorization_url",
    "exchange",
    "kept_from_callback",
    "new_verifier",
    "refresh",
    "revoke",
]

# At DEBUG they write codes, tokens and client secrets.
for _name in ("requests_oauthlib", "oauthlib"):
    logging.getLogger(_name).setLevel(logging.INFO)

Journal = Callable[[bytes], None]


def new_verifier() -> str:
    """Return a fresh code verifier of 43 characters, 256 bits (RFC 7636 section 4.1)."""
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
    """Return the address of the service's own page (RFC 6749 section 4.1.1).

    With a verifier its S256 challenge goes along (RFC 7636 section 4.3), where the service
    takes one.
    """
    oauth2 = settings_of(connector)
    endpoint = fill_url(oauth2.authorization_endpoint, values)
    judge_url(endpoint, service=connector.name)
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
    url, _ = session.authorization_url(_as_https(endpoint), state=state, **extra)
    return endpoint.partition(":")[0] + _renamed(url, oauth2)[len("https") :]


def exchange(
    connector: Connector,
    *,
    client: ClientCredentials,
    code: str,
    redirect_uri: str,
    code_verifier: str | None,
    values: Mapping[str, str],
    journal: Journal | None = None,
) -> TokenAnswer:
    """Exchange a code for tokens (RFC 6749 section 4.1.3); raise ``ServiceError``.

    ``redirect_uri`` must be the one of the authorization request, byte for byte.
    ``journal`` is given the raw answer before anybody reads it. Scopes are not sent: left
    out they mean those of the authorization request (sections 4.1.3 and 6). Where the
    service trades a first token for a longer one, that is done here, too.
    """
    with _TokenSession(
        connector,
        client,
        values,
        redirect_uri=redirect_uri,
        sent=(code, code_verifier or ""),
        journal=journal,
    ) as session:
        session.fetch_token(
            _as_https(session.endpoint),
            code=code,
            code_verifier=code_verifier if session.oauth2.pkce else None,
            auth=session.sign,
            include_client_id=session.sign is None,
            client_secret=session.form.get("client_secret"),
        )
    return lasting(connector, session.answer, client=client, values=values)


def refresh(
    connector: Connector,
    *,
    client: ClientCredentials,
    refresh_token: str,
    values: Mapping[str, str],
    scopes: Sequence[str] = (),
    journal: Journal | None = None,
) -> TokenAnswer:
    """Ask for a new access token (RFC 6749 section 6); raise ``ServiceError``.

    An answer without a refresh token leaves the old one in force. ``scopes``, those that
    were granted, are sent only where the service demands it. ``journal`` as in
    :func:`exchange`. A token that is traded for the next one stands where a refresh token
    would (``token_exchange.py``).
    """
    oauth2 = settings_of(connector)
    if how := oauth2.renewal or oauth2.exchange:
        return trade(connector, how, refresh_token, client=client, values=values, journal=journal)
    with _TokenSession(
        connector, client, values, sent=(refresh_token,), journal=journal
    ) as session:
        session.refreshing = True
        if oauth2.refresh_scope:
            session.scopes = oauth2.scope_separator.join(scopes)
        if oauth2.refresh_endpoint:
            session.endpoint = fill_url(oauth2.refresh_endpoint, values)
        session.refresh_token(
            _as_https(session.endpoint),
            refresh_token=refresh_token,
            auth=session.sign,
            **session.form,  # type: ignore[arg-type]
        )
    return session.answer


class _TokenSession(http_client.Session, OAuth2Session):
    """The session of requests-oauthlib, leaving through our own door.

    Its hooks are the places where the answer is journalled and read before the library
    looks at it, and where the real address is put in: the library refuses plain http
    before it sends anything, and ``outbound`` is the judge of that.
    """

    def __init__(
        self,
        connector: Connector,
        client: ClientCredentials,
        values: Mapping[str, str],
        *,
        sent: tuple[str, ...],
        journal: Journal | None,
        redirect_uri: str | None = None,
    ) -> None:
        super().__init__(
            service=connector.name,
            client=WebApplicationClient(client.client_id),
            redirect_uri=redirect_uri,
        )
        self.connector, self.values, self.journal = connector, values, journal
        self.oauth2 = settings_of(connector)
        self.endpoint = fill_url(self.oauth2.token_endpoint, values)
        self.sign, self.form = authentication(self.oauth2, client)
        self.sent = (*sent, client.client_secret)
        self.refreshing = False
        self.scopes = ""  # of a refresh
        self.answer: TokenAnswer
        self.register_compliance_hook("access_token_request", self._with_the_code)  # type: ignore[call-overload]
        self.register_compliance_hook("refresh_token_request", self._at_the_real_address)  # type: ignore[call-overload]
        self.register_compliance_hook("access_token_response", self._receive)
        self.register_compliance_hook("refresh_token_response", self._receive)

    def request(self, method: str, url: str, **kwargs: Any) -> Any:  # type: ignore[override]
        """Send without the library's signature: API calls are signed in ``auth_strategies.py``."""
        kwargs.pop("withhold_token", None)
        if self.oauth2.token_request == "json":
            # The library says that it sends a form; requests names what it does send.
            kwargs |= {"json": kwargs.pop("data"), "headers": {"Accept": "application/json"}}
        return super(OAuth2Session, self).request(method, url, **kwargs)

    def _at_the_real_address(self, url: Any, headers: Any, body: Any) -> Any:
        if self.scopes:  # the library would part them by spaces, whatever the service wants
            body = f"{body}&{urlencode({'scope': self.scopes})}"
        return self.endpoint, headers, body

    def _with_the_code(self, url: Any, headers: Any, request: Any) -> Any:
        """Write the form as this service wants it: the client by its own name, and additions."""
        form = {**request["data"], **self.oauth2.token_parameters}
        if "client_id" in form:
            form[self.oauth2.client_id_parameter] = form.pop("client_id")
        return self.endpoint, headers, {**request, "data": form}

    def _receive(self, response: Any) -> Any:
        """Read the answer, and show the library only a token that it understands."""
        answer = http_client.answer_of(response, service=self.service)
        if self.journal and answer.status < 300:
            self.journal(answer.body)
        self.answer = read_token_answer(
            self.connector,
            self.oauth2,
            answer,
            values=self.values,
            sent=self.sent,
            refreshing=self.refreshing,
        )
        plain = {"access_token": self.answer.access_token, "token_type": "Bearer"}
        return SimpleNamespace(text=json.dumps(plain))


def _renamed(url: str, oauth2: OAuth2Auth) -> str:
    """Call the client's id in a query what the service calls it."""
    if oauth2.client_id_parameter == "client_id":
        return url
    address, _, query = url.rpartition("?")
    named = [
        (oauth2.client_id_parameter if name == "client_id" else name, value)
        for name, value in parse_qsl(query, keep_blank_values=True)
    ]
    return f"{address}?{urlencode(named)}"


def _as_https(endpoint: str) -> str:
    """Write an address the way the library accepts it; the real one is put in afterwards."""
    return "https:" + endpoint.partition(":")[2]
