"""Check an OAuth client with a token request that cannot succeed (RFC 6749 section 5.2).

The request has an authorization code that does not exist. A service that authenticates the client
first answers ``invalid_client`` for a wrong client, and ``invalid_grant`` for the code. The RFC
does not require this order, so the answer is compared with that for a client that is wrong.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from connectors.definitions.schema import Connector
from connectors.definitions.templates import slots
from connectors.errors import ClientRefused, ServiceError, ServiceRefused
from connectors.oauth2.access_token_request import exchange_code
from connectors.oauth2.authorization_request import new_code_verifier
from connectors.oauth2.client_authentication import ClientCredentials, oauth2_settings

_CANNOT_SHOW = (
    "Whether the redirect URI and the permissions are registered there shows at the first "
    "authorization."
)


class ClientVerdict(Enum):
    """What a check says about a client."""

    ACCEPTED = auto()
    REFUSED = auto()
    #: The service answers a right and a wrong client alike, or in a way that says nothing.
    UNKNOWN = auto()
    UNREACHABLE = auto()


@dataclass(frozen=True, kw_only=True)
class ClientCheck:
    """The result of a check, with a message for people."""

    verdict: ClientVerdict
    message: str


def missing_values(connector: Connector, values: Mapping[str, str]) -> list[str]:
    """Return the labels of the parameters without which the token endpoint has no URL."""
    needed = slots(oauth2_settings(connector).token_endpoint) - values.keys()
    labels = {parameter.name: parameter.label for parameter in connector.parameters}
    return [labels.get(name, name) for name in sorted(needed)]


def check_client(
    connector: Connector,
    client: ClientCredentials,
    *,
    redirect_uri: str,
    values: Mapping[str, str],
) -> ClientCheck:
    """Ask the service about a client. It gets one token request, or two to compare them."""
    name = connector.name

    def answer_to(asking: ClientCredentials) -> ServiceError | None:
        try:
            exchange_code(
                connector,
                client=asking,
                code=secrets.token_urlsafe(32),
                redirect_uri=redirect_uri,
                code_verifier=new_code_verifier(),
                values=values,
            )
        except ServiceError as error:
            return error
        return None

    answer = answer_to(client)
    if answer is not None and not isinstance(answer, ServiceRefused):
        return _unreachable(answer)
    if _code(connector, answer) == "invalid_client":
        what = "client ID or client secret" if client.client_secret else "client ID"
        return ClientCheck(
            verdict=ClientVerdict.REFUSED,
            message=f"{name} does not accept this {what}. Copy it from {name} again. A new secret "
            "can take a few minutes to work.",
        )
    if _code(connector, answer) == "unauthorized_client":
        return ClientCheck(
            verdict=ClientVerdict.REFUSED,
            message=f"{name} knows the client, but does not allow it to use authorization codes. "
            "Change the type of the client there.",
        )
    wrong = answer_to(_wrong(client))
    if wrong is not None and not isinstance(wrong, ServiceRefused):
        return _unreachable(wrong)
    if _refuses_client(connector, wrong) and not _refuses_client(connector, answer):
        what = "client ID and client secret" if client.client_secret else "client ID"
        return ClientCheck(
            verdict=ClientVerdict.ACCEPTED,
            message=f"{name} accepts the {what}. It refused only the test's authorization code, "
            f"which does not exist. {_CANNOT_SHOW}",
        )
    part = "secret" if client.client_secret else "client ID"
    return ClientCheck(
        verdict=ClientVerdict.UNKNOWN,
        message=f"{name} does not say whether it accepts the client: it answers a wrong {part} in "
        "the same way. The first authorization will show it.",
    )


def _wrong(client: ClientCredentials) -> ClientCredentials:
    """Return a client that the service cannot accept."""
    if client.client_secret:
        return replace(client, client_secret=secrets.token_urlsafe(32))
    return replace(client, client_id=secrets.token_urlsafe(24))


def _refuses_client(connector: Connector, answer: ServiceError | None) -> bool:
    return isinstance(answer, ClientRefused) or _code(connector, answer) == "invalid_client"


def _code(connector: Connector, answer: ServiceError | None) -> str:
    return connector.standard_code(answer.code).lower() if answer else ""


def _unreachable(error: ServiceError) -> ClientCheck:
    return ClientCheck(
        verdict=ClientVerdict.UNREACHABLE, message=f"The client could not be tested. {error}"
    )
