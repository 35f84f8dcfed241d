"""Run all requests of a connector against a simulated service, step by step."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import responses

from connectors.api.auth_strategies import AUTH_TYPES
from connectors.api.check_call import check
from connectors.api.request_urls import api_url
from connectors.definitions.schema import AuthType, Connector
from connectors.definitions.templates import fill
from connectors.errors import ServiceError, ServiceRefused
from connectors.http import http_client
from connectors.oauth2 import (
    access_token_request,
    authorization_request,
    refresh_request,
    revocation,
)
from connectors.oauth2.client_authentication import ClientCredentials
from connectors.oauth2.token_response import TokenResponse, kept_from_callback
from tests.connectors.battery.expected_request import Unexpected
from tests.connectors.battery.service import (
    CLIENT_ID,
    CLIENT_SECRET,
    IDENTIFIER,
    INVOKED_PATH,
    LABEL,
    REDIRECT_URI,
    SimulatedService,
)

CLIENT = ClientCredentials(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
STATE = "st4te & more"


class BatteryFailure(AssertionError):
    """The connector sent something unexpected, or misread a response."""


def drive(original: Connector, driven: Connector | None = None) -> list[str]:
    """Run all steps of a connector for each auth type; return their names.

    The service follows ``original``; ``driven`` is a changed copy to test instead.
    """
    steps: list[str] = []
    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        for auth_type in original.auth_types:
            turns = [False]
            if auth_type == "oauth2" and any(f.default for f in original.oauth2.kept):  # type: ignore[union-attr]
                turns.append(True)
            for omits_defaults in turns:
                service = SimulatedService(original, auth_type)
                service.omits_defaults = omits_defaults
                for method in ("GET", "POST", "DELETE"):
                    network.remove(method, re.compile(".*"))
                    network.add_callback(method, re.compile(".*"), service.answer)
                steps += _Driver(driven or original, service).run_all()
    return steps


class _Driver:
    def __init__(self, connector: Connector, service: SimulatedService) -> None:
        self.connector, self.service = connector, service
        self.auth_type: AuthType = service.auth_type
        self.values: dict[str, str] = dict(service.parameters)
        self.secret: Mapping[str, str] = service.secret
        self.verifier: str | None = None
        self.callback: dict[str, str] = {}
        self.steps: list[str] = []

    def run_all(self) -> list[str]:
        if self.auth_type == "oauth2":
            self.step("authorize", self.authorize)
            self.step("exchange refused", self.exchange_refused, "exchange")
            token_exchange = ["token_exchange"] if self.service.oauth2.exchange else []
            self.step("exchange", self.exchange, "exchange", *token_exchange)
        self.step("check", self.check, "check")
        self.step("check refused", self.check_refused, "check")
        self.step("invoke", self.invoke, "invoke")
        if self.auth_type == "oauth2":
            self.step("refresh", self.refresh, "refresh")
            self.step("refresh refused", self.refresh_refused, "refresh")
            self.step("check again", self.check, "check")
            self.step("revoke", self.revoke, *(["revoke"] * len(self.service.revoked_tokens)))
        return self.steps

    def step(self, name: str, action: Callable[[], None], *next_steps: str) -> None:
        """Run one step; the service expects these requests and no others."""
        service = self.service
        service.next_steps = list(next_steps)
        error_message = ""
        try:
            action()
        except (ServiceError, Unexpected, LookupError) as error:
            error_message = f"{type(error).__name__}: {error}"
        finally:
            service.refusing = False
        left = [f"the request {step} was not sent" for step in service.next_steps]
        problems = [*service.faults, *left, *filter(None, [error_message])]
        if problems:
            raise BatteryFailure(f"{self.connector.slug}, {name}: {' | '.join(problems)}")
        self.steps.append(name)

    def authorize(self) -> None:
        oauth2 = self.connector.oauth2
        assert oauth2 is not None
        self.verifier = authorization_request.new_code_verifier() if oauth2.pkce else None
        url = authorization_request.authorization_url(
            self.connector,
            client_id=CLIENT_ID,
            redirect_uri=REDIRECT_URI,
            scopes=self.service.scopes,
            state=STATE,
            code_verifier=self.verifier,
            values=self.values,
        )
        self.callback = self.service.authorize(url, STATE)
        if oauth2.issuer and fill(oauth2.issuer, self.values) != self.callback.get("iss"):
            raise Unexpected("The issuer does not match.")
        self.values |= kept_from_callback(self.connector, self.callback, self.values)

    def exchange(self) -> None:
        answer = access_token_request.exchange_code(
            self.connector,
            client=CLIENT,
            code=self.callback["code"],
            redirect_uri=REDIRECT_URI,
            code_verifier=self.verifier,
            values=self.values,
        )
        self.values |= answer.kept
        self.store_tokens(answer)
        _same("kept fields", self.values, self.expected_values())

    def expected_values(self) -> dict[str, str]:
        return {
            **self.service.parameters,
            **self.service.callback_fields,
            **self.service.token_fields,
        }

    def store_tokens(self, answer: TokenResponse) -> None:
        renewing = answer.refresh_token or self.secret.get("refresh_token", "")
        self.secret = {"access_token": answer.access_token, "refresh_token": renewing}
        _same("access token", answer.access_token, self.service.secret["access_token"])
        if self.service.scopes:
            _same("scopes", answer.scopes, tuple(self.service.scopes))

    def exchange_refused(self) -> None:
        with self.refusal():
            self.exchange()

    def check(self) -> None:
        account = check(self.connector, self.auth_type, secret=self.secret, values=self.known())
        expected = self.service.connector.check
        same = set(expected.account[:1]) & set(expected.account_id[:1])
        identifier = LABEL if same else IDENTIFIER
        _same("label", account.label, LABEL if expected.account else "")
        _same("identifier", account.identifier, identifier if expected.account_id else "")

    def check_refused(self) -> None:
        with self.refusal():
            self.check()

    def known(self) -> dict[str, str]:
        client = {"client_id": CLIENT_ID} if self.auth_type == "oauth2" else {}
        return {**self.values, **client}

    def invoke(self) -> None:
        strategy = AUTH_TYPES[self.auth_type]
        known = {**strategy.public(self.connector, self.secret), **self.known()}
        signed = strategy.sign(self.connector, self.secret)
        headers = {name: fill(v, known) for name, v in self.connector.api_headers.items()}
        http_client.send(
            "GET",
            api_url(self.connector, INVOKED_PATH, known),
            service=self.connector.name,
            headers={"Accept": "application/json", **headers, **signed.headers},
            params={"page": "2", **signed.params},
        )

    def refresh(self) -> None:
        answer = refresh_request.refresh(
            self.connector,
            client=CLIENT,
            refresh_token=self.secret["refresh_token"],
            values=self.values,
            scopes=self.service.scopes,
        )
        self.values |= answer.kept
        self.store_tokens(answer)
        _same("kept fields", self.values, self.expected_values())

    def refresh_refused(self) -> None:
        with self.refusal():
            self.refresh()

    def revoke(self) -> None:
        answer = revocation.revoke(
            self.connector, client=CLIENT, tokens=self.secret, values=self.values
        )
        answer.raise_refusal()

    @contextmanager
    def refusal(self) -> Iterator[None]:
        """Make the service refuse; the block must raise ``ServiceRefused``."""
        self.service.refusing = True
        try:
            yield
        except ServiceRefused:
            return
        raise Unexpected("The refusal was not recognized.")


def _same(what: str, received: Any, expected: Any) -> None:
    if received != expected:
        raise Unexpected(f"The {what} became {received!r} instead of {expected!r}.")
