"""Sign a request with a credential, send it, and record it without secrets."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from connections.calls.exchange import ServiceRequest
from connections.models import Credential
from connectors.api.auth_strategies import strategy_of
from connectors.api.request_urls import Fields, api_url, encode_body, encode_query
from connectors.api.www_authenticate import refuses_credential
from connectors.definitions.schema import Connector
from connectors.definitions.templates import fill
from connectors.errors import CredentialRefused, ServiceForbidden
from connectors.http import http_client
from console.components.definitions import OWN_HEADERS
from console.encryption.redaction import REDACTED, Redactor, redactor_for

T = TypeVar("T")
#: Cookies of a service may be secret.
_NOT_SHOWN = frozenset({"set-cookie", "set-cookie2"})


class Unauthorized(CredentialRefused):
    """The service answered 401 or the like: to the credential, or only to this request."""


class SignedRequest:
    """A request, its last attempt, the response, and the secrets to redact."""

    def __init__(self, request: ServiceRequest, credential: Credential) -> None:
        self.request, self.credential = request, credential
        self.mask = Redactor()
        self._address = ""
        self._headers: dict[str, str] = {}
        self._body: bytes | None = None
        self._answer: http_client.ServiceResponse | None = None
        self._milliseconds = 0

    def send(self, secret: Mapping[str, str]) -> None:
        """Sign and send; raise ``ServiceError`` if there is no response or the service refuses."""
        request, connector = self.request, self.credential.connector
        strategy = strategy_of(self.credential.auth_type)
        public = strategy.public(connector, secret)
        known = {**public, **self.credential.values}
        signed = strategy.sign(connector, secret)
        self.mask = redactor_for(secret, public, signed)

        address = api_url(connector, request.path, known)
        # The signature comes last, so that no header or parameter of a caller can replace it.
        query = _without(encode_query(request.query), signed.params)
        self._body, headers = _content(connector, request, known)
        headers = _without(headers, signed.headers)
        self._address = address + _written(query, signed.params)
        self._headers = {**headers, **dict.fromkeys(signed.headers, REDACTED)}
        started = time.monotonic()
        try:
            self._answer = http_client.send(
                request.method,
                address,
                service=connector.name,
                headers={**headers, **signed.headers},
                params={**query, **signed.params},
                data=self._body,
            )
        finally:
            self._milliseconds = round((time.monotonic() - started) * 1000)
        status, challenge = self._answer.status, self._answer.headers.get("www-authenticate", "")
        if refuses_credential(connector, status, [challenge]):
            raise Unauthorized(f"{connector.name} refused {strategy.credential}.", status=status)

    def masked_fields(self) -> dict[str, Any]:
        """Return the fields of an :class:`~connections.calls.exchange.Exchange`."""
        mask, answer = self.mask, self._answer
        sent = {
            "address": mask(self._address or self.request.path),
            "headers": {name: mask(value) for name, value in self._headers.items()},
            "body": mask(_text(self._body or b"")),
            "milliseconds": self._milliseconds,
        }
        if answer is None:
            return sent
        return sent | {
            "status": answer.status,
            "answer_headers": {
                name: mask(value)
                for name, value in answer.headers.items()
                if name not in _NOT_SHOWN
            },
            "answer_body": mask(_text(answer.body)),
        }


def _content(
    connector: Connector, request: ServiceRequest, known: Mapping[str, str]
) -> tuple[bytes | None, dict[str, str]]:
    """Return body and headers; the call's headers override the connector's."""
    headers = {"Accept": "application/json"}
    for name, template in connector.api_headers.items():
        headers = {**_without(headers, [name]), name: fill(template, known)}
    for name, value in request.headers.items():
        if name.lower() in OWN_HEADERS:
            raise ServiceForbidden(f"The header {name} is set only by the console.")
        headers = {**_without(headers, [name]), name: value}
    written = next((v for n, v in headers.items() if n.lower() == "content-type"), "")
    body, content_type = encode_body(request.body, written)
    if body is not None:
        headers = {**_without(headers, ["Content-Type"]), "Content-Type": content_type}
    return body, headers


def _without(values: Mapping[str, T], names: Iterable[str]) -> dict[str, T]:
    """Leave out values with one of these names, ignoring case."""
    left_out = {name.lower() for name in names}
    return {name: value for name, value in values.items() if name.lower() not in left_out}


def _written(query: Fields, signature: Mapping[str, str]) -> str:
    parts = [urlencode(query, doseq=True)] if query else []
    parts += [f"{name}={REDACTED}" for name in signature]
    return f"?{'&'.join(parts)}" if parts else ""


def _text(body: bytes) -> str:
    return body.decode("utf-8-sig", "replace")
