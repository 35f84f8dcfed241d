"""Read the authorization response, with which a service redirects the browser back.

RFC 6749 section 4.1.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.http import QueryDict

from connectors.definitions.schema import Connector
from connectors.http.payloads import printable_line
from connectors.oauth2.error_codes import advice

#: The parameters of the protocol (RFC 6749 section 4.1.2, RFC 9207).
_PROTOCOL_PARAMETERS = ("state", "code", "iss", "error", "error_description", "error_uri")


class CallbackRefused(Exception):
    """The callback belongs to no flow of this person and browser, or is malformed."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


def repeated_parameters(query: QueryDict, connector: Connector | None = None) -> list[str]:
    """Return the parameters that occur more than once, which RFC 6749 section 3.1 forbids.

    Only parameters that the console reads matter; a service may add others.
    """
    read = [*_PROTOCOL_PARAMETERS]
    if connector and connector.oauth2:
        read += [kept.path for kept in connector.oauth2.kept if kept.source == "callback"]
    return [name for name in read if len(query.getlist(name)) > 1]


def repeated_parameters_error(names: list[str]) -> CallbackRefused:
    """Return the error for a response that is ambiguous, because it repeats parameters."""
    named = " and ".join(f"“{name}”" for name in names)
    return CallbackRefused(
        f"This response contains {named} more than once, so it is ambiguous. Nothing was sent to "
        "the service, and nothing was changed. Open the connection and press Authorize. If it "
        "happens again, tell a super admin.",
        status=400,
    )


def unknown_flow_error(query: Mapping[str, str]) -> CallbackRefused:
    """Return the error for a response that belongs to no flow, with the service's reason."""
    reason = f"The service reported an error: “{error_text(query)}”. " if "error" in query else ""
    return CallbackRefused(
        f"This response belongs to no authorization that began here, or to one that has expired. "
        f"{reason}Nothing was changed. Open the connection and press Authorize.",
        status=400,
    )


def form_post_error() -> CallbackRefused:
    """Return the error for a response sent as a form (OAuth 2.0 Form Post Response Mode)."""
    return CallbackRefused(
        "The service sent its response as a form (response_mode=form_post). The console accepts "
        "responses in the query of the URL only. Nothing was sent to the service, and nothing was "
        "changed. A super admin can set the response mode of the OAuth "
        "client to “query” at the service, or request it with response_mode in the "
        "authorize_parameters of the connector's definition.",
        status=405,
    )


def issuer_mismatch_message(service: str, said: str, expected: str) -> str:
    """Return the message for a wrong issuer. It quotes both: they may differ by a slash."""
    actual = (
        f"the response names “{printable_line(said, 120)}”" if said else "the response names none"
    )
    return (
        f"The response was not used, because it does not come from {service}: the issuer must be "
        f"exactly “{printable_line(expected, 120)}”, and {actual}. If that is the issuer of the "
        "service, the operator of this console can correct the connector's definition."
    )


def error_response_message(service: str, query: Mapping[str, str], asked: Sequence[str]) -> str:
    """Return why the response contains no code, and what to do (RFC 6749 section 4.1.2.1)."""
    code = printable_line(query.get("error", ""), 60)
    if code == "access_denied":
        return (
            f"{service} was not allowed to connect: the request was declined on its page."
            + advice(code)
        )
    asked_for = (
        f" It asked for {printable_line(', '.join(asked), 160)}." if code == "invalid_scope" else ""
    )
    return (
        f"{service} did not authorize this connection ({error_text(query)}).{advice(code)}"
        f"{asked_for}"
    )


def error_text(query: Mapping[str, str]) -> str:
    """Return the error code and its description, shortened and safe to show."""
    code = printable_line(query.get("error", ""), 60)
    description = printable_line(query.get("error_description", ""), 200)
    return ": ".join(part for part in (code, description) if part) or "it gave no reason"
