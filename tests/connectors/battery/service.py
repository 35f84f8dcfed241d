"""A simulated service that accepts only the requests that its definition describes.

It is built from the definition in the catalogue. The connector under test can be a broken copy.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote_plus, urlsplit

from connectors.api.auth_strategies import AUTH_TYPES
from connectors.definitions.schema import AuthType, Connector, OAuth2Auth
from tests.connectors.battery import examples
from tests.connectors.battery.expected_request import (
    Request,
    Unexpected,
    basic,
    compare,
    filled,
    origin_and_path,
    pairs,
    set_value,
)

CLIENT_ID, CLIENT_SECRET = "console:1", "s3cret & more: 100%"
REDIRECT_URI = "https://console.example/oauth/callback/x/?y=z"
LABEL, IDENTIFIER = "Acme Inc.", "id-0123"
#: A path of the API that must arrive unchanged.
INVOKED_PATH = "/battery/a%20b/1"


class SimulatedService:
    """One service with one account. ``refusing`` makes it refuse the next request."""

    def __init__(self, connector: Connector, auth_type: AuthType) -> None:
        self.connector, self.auth_type = connector, auth_type
        self.parameters = examples.parameters(connector)
        self.callback_fields = examples.kept(connector, "callback")
        self.token_fields = examples.kept(connector, "token")
        self.scopes = examples.known_scopes(connector) if auth_type == "oauth2" else []
        self.omits_defaults = False  # leave out fields that have a default
        self.refusing = False
        self.faults: list[str] = []
        self.next_steps: list[str] = []
        self.challenge = ""
        self.count = 0
        self.secret: dict[str, str] = {}
        if auth_type != "oauth2":
            self.secret = examples.credential(connector, auth_type)

    @property
    def oauth2(self) -> OAuth2Auth:
        assert self.connector.oauth2 is not None
        return self.connector.oauth2

    @property
    def known(self) -> dict[str, str]:
        """Return the values for templates after the authorization."""
        public = AUTH_TYPES[self.auth_type].public(self.connector, self.secret)
        client = {"client_id": CLIENT_ID} if self.auth_type == "oauth2" else {}
        return {**public, **self.parameters, **self.callback_fields, **self.token_fields, **client}

    # The person's browser

    def authorize(self, url: str, state: str) -> dict[str, str]:
        """Validate the authorization URL; return the parameters of the callback."""
        oauth2 = self.oauth2
        endpoint = filled(oauth2.authorization_endpoint, self.parameters)
        expected = {
            "response_type": "code",
            oauth2.client_id_parameter: CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "state": state,
            **{n: filled(v, self.parameters) for n, v in oauth2.authorize_parameters.items()},
        }
        if self.scopes:
            expected[oauth2.scope_parameter] = oauth2.scope_separator.join(self.scopes)
        received = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
        if oauth2.pkce:
            self.challenge = received.get("code_challenge", "")
            expected |= {"code_challenge": self.challenge, "code_challenge_method": "S256"}
        query = pairs(urlsplit(url).query)
        if origin_and_path(url) != origin_and_path(endpoint) or query != sorted(expected.items()):
            raise Unexpected(f"The authorization URL was {url}, not {endpoint} with {expected}.")
        callback = {"code": "the-code", "state": state}
        if oauth2.issuer:
            callback["iss"] = filled(oauth2.issuer, self.parameters)
        return {**callback, **self._kept_fields("callback")}

    def _kept_fields(self, source: str) -> dict[str, str]:
        values = self.callback_fields if source == "callback" else self.token_fields
        sent = {}
        for field in self.oauth2.kept:
            if field.source == source and not (self.omits_defaults and field.default):
                sent[field.path] = values[field.name]
            elif field.source == source:
                values[field.name] = filled(field.default, self.parameters)
        return sent

    # The console's requests

    def answer(self, request: Any) -> tuple[int, dict[str, str], str]:
        """Respond to a prepared request, or record its faults."""
        try:
            step = self.next_steps.pop(0) if self.next_steps else "no_request"
            status, document = getattr(self, f"_{step}")(request)
        except Unexpected as error:
            self.faults.append(f"{step}: {error}")
            status, document = 400, {"error": "unexpected"}
        body = "" if document is None else json.dumps(document)
        return status, {"Content-Type": "application/json"}, body

    def _no_request(self, request: Any) -> Any:
        raise Unexpected(f"Unexpected request: {request.method} {request.url}.")

    def _client(self, method: str) -> tuple[dict[str, str], dict[str, str]]:
        if method == "client_secret_basic":
            user, password = quote_plus(CLIENT_ID), quote_plus(CLIENT_SECRET)
            return {"Authorization": basic(user, password)}, {}
        fields = {self.oauth2.client_id_parameter: CLIENT_ID}
        if method == "client_secret_post":
            fields["client_secret"] = CLIENT_SECRET
        return {}, fields

    def _token_request(self, url: str, fields: Mapping[str, str]) -> Request:
        headers, client_fields = self._client(self.oauth2.token_endpoint_auth_method)
        body = {**fields, **client_fields}
        where = filled(url, {**self.parameters, **self.callback_fields, **self.token_fields})
        if self.oauth2.token_request == "json":
            return Request(method="POST", url=where, headers=headers, json=body)
        return Request(method="POST", url=where, headers=headers, form=body)

    def _exchange(self, request: Any) -> Any:
        fields = {
            "grant_type": "authorization_code",
            "code": "the-code",
            "redirect_uri": REDIRECT_URI,
            **self.oauth2.token_parameters,
        }
        if self.oauth2.pkce:
            fields["code_verifier"] = self._verifier(request)
        compare(request, self._token_request(self.oauth2.token_endpoint, fields))
        return self._error_response() or (200, self._tokens(nested=True))

    def _verifier(self, request: Any) -> str:
        body = request.body.decode() if isinstance(request.body, bytes) else request.body
        if self.oauth2.token_request == "json":
            verifier = json.loads(body).get("code_verifier", "")
        else:
            verifier = parse_qs(body).get("code_verifier", [""])[0]
        digest = hashlib.sha256(verifier.encode()).digest()
        if urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenge:
            raise Unexpected("The code verifier does not match the challenge.")
        return str(verifier)

    def _tokens(self, *, nested: bool = False) -> dict[str, Any]:
        self.count += 1
        self.secret = {"access_token": f"access-{self.count}"}
        tokens: dict[str, Any] = {**self.secret, "token_type": "bearer", "expires_in": 3600}
        if self.scopes:
            tokens["scope"] = self.oauth2.scope_separator.join(self.scopes)
        if not self.oauth2.exchange:
            self.secret["refresh_token"] = tokens["refresh_token"] = f"refresh-{self.count}"
        document: dict[str, Any] = tokens
        if nested and self.oauth2.token_path:
            document = set_value(
                {"access_token": "of-somebody-else"}, self.oauth2.token_path, tokens
            )
        for path, value in self._kept_fields("token").items():
            document = set_value(document, path, value)
        return self._success(document, self.oauth2.error_when)

    def _success(self, document: Any, error_when: Mapping[str, str]) -> Any:
        for path, failing in error_when.items():
            document = set_value(
                document, path, {"false": True, "true": False}.get(failing, "fine")
            )
        return document

    def _error_response(self) -> Any:
        """Return an error if ``refusing``: with status 400, or with 200 and an error body."""
        if not self.refusing:
            return None
        if not self.oauth2.error_when:
            return 400, {"error": "invalid_grant"}
        document: Any = {}
        for path, failing in self.oauth2.error_when.items():
            document = set_value(
                document, path, {"false": False, "true": True}.get(failing, failing)
            )
        return 200, document

    def _token_exchange(self, request: Any, *, again: bool = False) -> Any:
        exchange = (again and self.oauth2.renewal) or self.oauth2.exchange
        assert exchange is not None
        client_fields = {self.oauth2.client_id_parameter: CLIENT_ID, "client_secret": CLIENT_SECRET}
        names = {"client_id": self.oauth2.client_id_parameter, "client_secret": "client_secret"}
        fields = {
            "grant_type": exchange.grant_type,
            exchange.parameter: self.secret["access_token"],
            **{names[part]: client_fields[names[part]] for part in exchange.client},
        }
        expected = Request(method=exchange.method, url=filled(exchange.endpoint, self.known))
        if exchange.method == "GET":
            expected.params = fields
        else:
            expected.form = fields
        compare(request, expected)
        return self._error_response() or (200, self._tokens())

    def _refresh(self, request: Any) -> Any:
        if self.oauth2.exchange:
            return self._token_exchange(request, again=True)
        fields = {"grant_type": "refresh_token", "refresh_token": self.secret["refresh_token"]}
        if self.oauth2.refresh_scope and self.scopes:
            fields["scope"] = self.oauth2.scope_separator.join(self.scopes)
        endpoint = self.oauth2.refresh_endpoint or self.oauth2.token_endpoint
        compare(request, self._token_request(endpoint, fields))
        statuses = [end.status for end in self.oauth2.grant_ends if not end.body]
        if self.refusing and statuses:
            return statuses[0], None
        return self._error_response() or (200, self._tokens())

    def _signed(self, expected: Request) -> Request:
        settings = AUTH_TYPES[self.auth_type].settings_for(self.connector)
        signing = settings.signing
        if signing.basic_user or signing.basic_password:
            user = filled(signing.basic_user, self.secret)
            value = basic(user, filled(signing.basic_password, self.secret))
        else:
            value = filled(signing.value, self.secret)
        if signing.query:
            expected.params[signing.query] = value
        else:
            expected.headers[signing.header or "Authorization"] = value
        return expected

    def _headers(self, *tables: Mapping[str, str]) -> dict[str, str]:
        return {name: filled(v, self.known) for table in tables for name, v in table.items()}

    def _check(self, request: Any) -> Any:
        check, base = self.connector.check, self.connector.api_base_url
        expected = Request(
            method=check.method,
            url=filled(check.url or base + check.path, self.known),
            headers=self._headers(self.connector.api_headers, check.headers),
            body=check.body,
        )
        compare(request, self._signed(expected))
        document: Any = {}
        if self.refusing and not check.error_when:
            return next(iter(check.refused_statuses), 401), {}
        if self.refusing:
            for path, failing in check.error_when.items():
                document = set_value(
                    document, path, {"false": False, "true": True}.get(failing, failing)
                )
            return 200, document
        for paths, value in ((check.account_id, IDENTIFIER), (check.account, LABEL)):
            if paths:  # the label last: some services have one field for both
                document = set_value(document, paths[0], value)
        return 200, self._success(document, check.error_when)

    def _invoke(self, request: Any) -> Any:
        expected = Request(
            method="GET",
            url=filled(self.connector.api_base_url, self.known).rstrip("/") + INVOKED_PATH,
            params={"page": "2"},
            headers=self._headers(self.connector.api_headers),
        )
        compare(request, self._signed(expected))
        return 200, {}

    @property
    def revoked_tokens(self) -> list[str]:
        """Return the names of the tokens that a revocation must send, in order."""
        revocation = self.oauth2.revocation
        if revocation is None:
            return []
        expected = (
            ["refresh_token", "access_token"] if revocation.token == "both" else [revocation.token]
        )
        return [name for name in expected if name in self.secret] or ["access_token"]

    def _revoke(self, request: Any) -> Any:
        revocation = self.oauth2.revocation
        if revocation is None:
            raise Unexpected("This service has no revocation endpoint.")
        name = self.revoked_tokens[-1 - self.next_steps.count("revoke")]
        token = self.secret[name]
        method = {"as_token_endpoint": self.oauth2.token_endpoint_auth_method}.get(
            revocation.client_authentication, revocation.client_authentication
        )
        none = revocation.client_authentication == "none"
        headers, client_fields = ({}, {}) if none else self._client(method)
        url = filled(revocation.endpoint, {**self.known, "client_id": CLIENT_ID, "token": token})
        expected = Request(method=revocation.method, url=url, headers=headers)
        if revocation.placed == "json":
            expected.json = {revocation.parameter: token, **client_fields}
        elif revocation.placed == "form":
            expected.form = {revocation.parameter: token, **client_fields}
            if revocation.parameter == "token" and revocation.token_type_hint:
                expected.form["token_type_hint"] = name
        else:
            expected.form = client_fields or None
        if revocation.placed == "query":
            expected.params = {revocation.parameter: token}
        elif revocation.placed == "bearer":
            expected.headers = {"Authorization": f"Bearer {token}"}
        compare(request, expected)
        return 200, {}
