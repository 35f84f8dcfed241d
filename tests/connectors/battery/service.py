"""A service as a definition describes it, which refuses whatever is not exactly so.

It is built from the definition in the catalogue; what is driven against it
may be a broken copy.
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
    pairs,
    place,
    put,
)

CLIENT_ID, CLIENT_SECRET = "console:1", "s3cret & more: 100%"
REDIRECT_URI = "https://console.example/oauth/callback/x/?y=z"
LABEL, IDENTIFIER = "Acme Inc.", "id-0123"
#: A path of the API that must arrive as it was written.
INVOKED = "/battery/a%20b/1"


class SimulatedService:
    """One service, one account. ``refusing`` makes it say no in its own way."""

    def __init__(self, connector: Connector, auth_type: AuthType) -> None:
        self.connector, self.auth_type = connector, auth_type
        self.parameters = examples.parameters(connector)
        self.called_back = examples.kept(connector, "callback")
        self.told = examples.kept(connector, "token")
        self.scopes = examples.known_scopes(connector) if auth_type == "oauth2" else []
        self.silent = False  # leaves out what has a default
        self.refusing = False
        self.complaints: list[str] = []
        self.expected: list[str] = []
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
        """Return what fills the templates once somebody is authorized."""
        public = AUTH_TYPES[self.auth_type].public(self.connector, self.secret)
        client = {"client_id": CLIENT_ID} if self.auth_type == "oauth2" else {}
        return {**public, **self.parameters, **self.called_back, **self.told, **client}

    # The person's browser

    def authorize(self, url: str, state: str) -> dict[str, str]:
        """Look at the address that the person is sent to; return the query that leads back."""
        oauth2 = self.oauth2
        endpoint = filled(oauth2.authorization_endpoint, self.parameters)
        wanted = {
            "response_type": "code",
            oauth2.client_id_parameter: CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "state": state,
            **{n: filled(v, self.parameters) for n, v in oauth2.authorize_parameters.items()},
        }
        if self.scopes:
            wanted[oauth2.scope_parameter] = oauth2.scope_separator.join(self.scopes)
        came = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
        if oauth2.pkce:
            self.challenge = came.get("code_challenge", "")
            wanted |= {"code_challenge": self.challenge, "code_challenge_method": "S256"}
        if place(url) != place(endpoint) or pairs(urlsplit(url).query) != sorted(wanted.items()):
            raise Unexpected(f"The person was sent to {url} with {wanted} wanted at {endpoint}.")
        back = {"code": "the-code", "state": state}
        if oauth2.issuer:
            back["iss"] = filled(oauth2.issuer, self.parameters)
        return {**back, **self._sent("callback")}

    def _sent(self, source: str) -> dict[str, str]:
        values = self.called_back if source == "callback" else self.told
        sent = {}
        for field in self.oauth2.kept:
            if field.source == source and not (self.silent and field.default):
                sent[field.path] = values[field.name]
            elif field.source == source:
                values[field.name] = filled(field.default, self.parameters)
        return sent

    # The console's requests

    def answer(self, request: Any) -> tuple[int, dict[str, str], str]:
        """Answer a prepared request, or complain of it."""
        try:
            step = self.expected.pop(0) if self.expected else "silence"
            status, document = getattr(self, f"_{step}")(request)
        except Unexpected as error:
            self.complaints.append(f"{step}: {error}")
            status, document = 400, {"error": "unexpected"}
        body = "" if document is None else json.dumps(document)
        return status, {"Content-Type": "application/json"}, body

    def _silence(self, request: Any) -> Any:
        raise Unexpected(f"Nobody expected {request.method} {request.url}.")

    def _client(self, method: str) -> tuple[dict[str, str], dict[str, str]]:
        if method == "client_secret_basic":
            user, password = quote_plus(CLIENT_ID), quote_plus(CLIENT_SECRET)
            return {"Authorization": basic(user, password)}, {}
        fields = {self.oauth2.client_id_parameter: CLIENT_ID}
        if method == "client_secret_post":
            fields["client_secret"] = CLIENT_SECRET
        return {}, fields

    def _token_request(self, url: str, fields: Mapping[str, str]) -> Request:
        headers, proof = self._client(self.oauth2.token_endpoint_auth_method)
        body = {**fields, **proof}
        where = filled(url, {**self.parameters, **self.called_back, **self.told})
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
            fields["code_verifier"] = self._verified(request)
        compare(request, self._token_request(self.oauth2.token_endpoint, fields))
        return self._refused() or (200, self._tokens(nested=True))

    def _verified(self, request: Any) -> str:
        body = request.body.decode() if isinstance(request.body, bytes) else request.body
        if self.oauth2.token_request == "json":
            verifier = json.loads(body).get("code_verifier", "")
        else:
            verifier = parse_qs(body).get("code_verifier", [""])[0]
        digest = hashlib.sha256(verifier.encode()).digest()
        if urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenge:
            raise Unexpected("The verifier is not that of the challenge.")
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
            document = put({"access_token": "of-somebody-else"}, self.oauth2.token_path, tokens)
        for path, value in self._sent("token").items():
            document = put(document, path, value)
        return self._fine(document, self.oauth2.error_when)

    def _fine(self, document: Any, error_when: Mapping[str, str]) -> Any:
        for path, failing in error_when.items():
            document = put(document, path, {"false": True, "true": False}.get(failing, "fine"))
        return document

    def _refused(self) -> Any:
        """Say no to a token request: with a status, or with 200 and an error."""
        if not self.refusing:
            return None
        if not self.oauth2.error_when:
            return 400, {"error": "invalid_grant"}
        document: Any = {}
        for path, failing in self.oauth2.error_when.items():
            document = put(document, path, {"false": False, "true": True}.get(failing, failing))
        return 200, document

    def _trade(self, request: Any, *, again: bool = False) -> Any:
        how = (again and self.oauth2.renewal) or self.oauth2.exchange
        assert how is not None
        proof = {self.oauth2.client_id_parameter: CLIENT_ID, "client_secret": CLIENT_SECRET}
        names = {"client_id": self.oauth2.client_id_parameter, "client_secret": "client_secret"}
        fields = {
            "grant_type": how.grant_type,
            how.parameter: self.secret["access_token"],
            **{names[part]: proof[names[part]] for part in how.client},
        }
        wanted = Request(method=how.method, url=filled(how.endpoint, self.known))
        if how.method == "GET":
            wanted.params = fields
        else:
            wanted.form = fields
        compare(request, wanted)
        return self._refused() or (200, self._tokens())

    def _refresh(self, request: Any) -> Any:
        if self.oauth2.exchange:
            return self._trade(request, again=True)
        fields = {"grant_type": "refresh_token", "refresh_token": self.secret["refresh_token"]}
        if self.oauth2.refresh_scope and self.scopes:
            fields["scope"] = self.oauth2.scope_separator.join(self.scopes)
        endpoint = self.oauth2.refresh_endpoint or self.oauth2.token_endpoint
        compare(request, self._token_request(endpoint, fields))
        silent = [end.status for end in self.oauth2.grant_ends if not end.body]
        if self.refusing and silent:
            return silent[0], None
        return self._refused() or (200, self._tokens())

    def _signed(self, wanted: Request) -> Request:
        settings = AUTH_TYPES[self.auth_type].settings_for(self.connector)
        signing = settings.signing
        if signing.basic_user or signing.basic_password:
            user = filled(signing.basic_user, self.secret)
            value = basic(user, filled(signing.basic_password, self.secret))
        else:
            value = filled(signing.value, self.secret)
        if signing.query:
            wanted.params[signing.query] = value
        else:
            wanted.headers[signing.header or "Authorization"] = value
        return wanted

    def _headers(self, *tables: Mapping[str, str]) -> dict[str, str]:
        return {name: filled(v, self.known) for table in tables for name, v in table.items()}

    def _check(self, request: Any) -> Any:
        check, base = self.connector.check, self.connector.api_base_url
        wanted = Request(
            method=check.method,
            url=filled(check.url or base + check.path, self.known),
            headers=self._headers(self.connector.api_headers, check.headers),
            body=check.body,
        )
        compare(request, self._signed(wanted))
        document: Any = {}
        if self.refusing and not check.error_when:
            return next(iter(check.refused_statuses), 401), {}
        if self.refusing:
            for path, failing in check.error_when.items():
                document = put(document, path, {"false": False, "true": True}.get(failing, failing))
            return 200, document
        for paths, value in ((check.account_id, IDENTIFIER), (check.account, LABEL)):
            if paths:  # the label last: some services have nothing but one name
                document = put(document, paths[0], value)
        return 200, self._fine(document, check.error_when)

    def _invoke(self, request: Any) -> Any:
        wanted = Request(
            method="GET",
            url=filled(self.connector.api_base_url, self.known).rstrip("/") + INVOKED,
            params={"page": "2"},
            headers=self._headers(self.connector.api_headers),
        )
        compare(request, self._signed(wanted))
        return 200, {}

    @property
    def revoked_tokens(self) -> list[str]:
        """Name the tokens that a revocation is to send, in their order."""
        how = self.oauth2.revocation
        if how is None:
            return []
        wanted = ["refresh_token", "access_token"] if how.token == "both" else [how.token]
        return [name for name in wanted if name in self.secret] or ["access_token"]

    def _revoke(self, request: Any) -> Any:
        how = self.oauth2.revocation
        if how is None:
            raise Unexpected("There is no way to revoke a token here.")
        name = self.revoked_tokens[-1 - self.expected.count("revoke")]
        token = self.secret[name]
        method = {"as_token_endpoint": self.oauth2.token_endpoint_auth_method}.get(
            how.client_authentication, how.client_authentication
        )
        none = how.client_authentication == "none"
        headers, proof = ({}, {}) if none else self._client(method)
        url = filled(how.endpoint, {**self.known, "client_id": CLIENT_ID, "token": token})
        wanted = Request(method=how.method, url=url, headers=headers)
        if how.placed == "json":
            wanted.json = {how.parameter: token, **proof}
        elif how.placed == "form":
            wanted.form = {how.parameter: token, **proof}
            if how.parameter == "token" and how.token_type_hint:
                wanted.form["token_type_hint"] = name
        else:
            wanted.form = proof or None
        if how.placed == "query":
            wanted.params = {how.parameter: token}
        elif how.placed == "bearer":
            wanted.headers = {"Authorization": f"Bearer {token}"}
        compare(request, wanted)
        return 200, {}
