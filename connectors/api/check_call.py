"""Check call: test a credential with a harmless API call, and read the account's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.api.auth_strategies import AUTH_TYPES, AuthStrategy
from connectors.api.www_authenticate import refuses_credential
from connectors.definitions.schema import AuthType, Check, Connector
from connectors.definitions.templates import fill, fill_url
from connectors.errors import CredentialRefused, ServiceError, ServiceRefused
from connectors.http import http_client
from connectors.http.payloads import as_text, is_error, printable_line, value_at

_LABEL_LENGTH = 100
_IDENTIFIER_LENGTH = 200


@dataclass(frozen=True, kw_only=True)
class Account:
    """The account of a credential; the fields are empty if the service does not say."""

    label: str
    identifier: str


def check(
    connector: Connector,
    auth_type: AuthType,
    *,
    secret: Mapping[str, str],
    values: Mapping[str, str],
) -> Account:
    """Send the check call and return the account; raise ``ServiceError``.

    ``values`` are the connection's parameters and kept fields. The URL can also contain fields of
    the credential that are not secret (an account SID).
    """
    strategy = AUTH_TYPES[auth_type]
    response = _send_check(connector, strategy, secret, values)
    _raise_for_status(connector, strategy, response)
    if not response.body.strip() and not connector.check.account and not connector.check.error_when:
        return Account(label="", identifier="")
    document = response.json()
    if is_error(document, connector.check.error_when):
        raise _failure(connector, strategy, document, secret)
    return Account(
        label=_first_value(document, connector.check.account, _LABEL_LENGTH),
        identifier=_first_value(document, connector.check.account_id, _IDENTIFIER_LENGTH),
    )


def _send_check(
    connector: Connector,
    strategy: AuthStrategy,
    secret: Mapping[str, str],
    values: Mapping[str, str],
) -> http_client.ServiceResponse:
    settings = connector.check
    slot_values = {**strategy.public(connector, secret), **values}
    signed = strategy.sign(connector, secret)
    headers = {"Accept": "application/json"}
    if settings.body:
        headers["Content-Type"] = "application/json"
    for templates in (connector.api_headers, settings.headers):
        headers |= {name: fill(template, slot_values) for name, template in templates.items()}
    return http_client.send(
        settings.method,
        fill_url(_url_template(connector, settings), slot_values),
        service=connector.name,
        headers={**headers, **signed.headers},
        params=signed.params,
        data=settings.body.encode() if settings.body else None,
    )


def _url_template(connector: Connector, settings: Check) -> str:
    if settings.url:
        return settings.url
    return f"{connector.api_base_url.rstrip('/')}/{settings.path.lstrip('/')}"


def _raise_for_status(
    connector: Connector, strategy: AuthStrategy, response: http_client.ServiceResponse
) -> None:
    """Raise ``ServiceRefused`` for a response other than 2xx."""
    service, status = connector.name, response.status
    if status < 300:
        return
    response.refuse_outage()
    challenges = [response.headers.get("www-authenticate", "")]
    if refuses_credential(connector, status, challenges) or _has_credential_error_code(
        connector, response
    ):
        raise CredentialRefused(f"{service} refused {strategy.credential}.", status=status)
    if status in {401, 403, *connector.check.refused_statuses}:
        raise ServiceRefused(
            f"{service} accepts this account, but it lacks the permission for the connection test. "
            "Add the permission there, or use another account.",
            status=status,
        )
    if status == 404:
        raise ServiceRefused(
            f"{service} found nothing at this URL. Check the values of the connection.",
            status=status,
        )
    raise ServiceRefused(f"{service} did not accept the request (status {status}).", status=status)


def _has_credential_error_code(connector: Connector, response: http_client.ServiceResponse) -> bool:
    """Return whether the error code means an ended authorization, as at Meta."""
    try:
        document = response.json()
    except ServiceError:
        return False
    codes = (as_text(value_at(document, path)).lower() for path in ("error", "error.code", "code"))
    return "invalid_grant" in {connector.error_codes.get(code) for code in codes}


def _failure(
    connector: Connector, strategy: AuthStrategy, document: object, secret: Mapping[str, str]
) -> ServiceRefused:
    """Return the error of a response with status 200."""
    error = as_text(value_at(document, "error")) or as_text(value_at(document, "message"))
    for value in filter(None, secret.values()):
        error = error.replace(value, "•••")
    service, code = connector.name, printable_line(error, 60)
    if connector.standard_code(code) == "invalid_grant":
        return CredentialRefused(f"{service} refused {strategy.credential} ({code}).", code=code)
    return ServiceRefused(f"{service} refused the request ({code or 'no reason'}).", code=code)


def _first_value(document: object, paths: Iterable[str], limit: int) -> str:
    for path in paths:
        if found := printable_line(as_text(value_at(document, path)), limit):
            return found
    return ""
