"""The authorization response: what a service sends back with the browser (RFC 6749, 4.1.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.http import QueryDict

from connectors.definitions.schema import Connector
from connectors.http.payloads import words
from connectors.oauth2.error_codes import advice

#: What the protocol itself sends (RFC 6749 section 4.1.2, RFC 9207).
_OF_THE_PROTOCOL = ("state", "code", "iss", "error", "error_description", "error_uri")


class CallbackRefused(Exception):
    """A callback that belongs to no flow of this person and browser, or cannot be read."""

    def __init__(self, sentence: str, *, status: int) -> None:
        super().__init__(sentence)
        self.status = status


def repeated_parameters(query: QueryDict, connector: Connector | None = None) -> list[str]:
    """Name the parameters that are there more than once, which none may be (section 3.1).

    Those that nobody here reads are not looked at; a service may add what it likes.
    """
    read = [*_OF_THE_PROTOCOL]
    if connector and connector.oauth2:
        read += [kept.path for kept in connector.oauth2.kept if kept.source == "callback"]
    return [name for name in read if len(query.getlist(name)) > 1]


def repeated_parameters_error(names: list[str]) -> CallbackRefused:
    """Say that an answer can be read in two ways."""
    named = " and ".join(f"“{name}”" for name in names)
    return CallbackRefused(
        f"This answer holds {named} more than once, so it can be read in two ways. Nothing was "
        "sent to the service, and nothing was changed. Open the connection and press Authorize; "
        "if it happens again, tell a super admin.",
        status=400,
    )


def unknown_flow_error(query: Mapping[str, str]) -> CallbackRefused:
    """Say that an answer belongs to no flow, and what the service says in it, if it says why."""
    said = (
        f"It is an error of the service, which says: “{error_text(query)}”. "
        if "error" in query
        else ""
    )
    return CallbackRefused(
        f"This answer belongs to no authorization that was begun here, or to one that is long "
        f"over. {said}Nothing was changed. Open the connection and press Authorize.",
        status=400,
    )


def form_post_error() -> CallbackRefused:
    """Say why an answer that comes as a form is not taken (OAuth 2.0 Form Post Response Mode)."""
    return CallbackRefused(
        "The service sent its answer as a form (response_mode=form_post). The console takes an "
        "answer in the query of the URL only, so this one was not read. Nothing was sent to the "
        "service, and nothing was changed. A super admin can set the response mode of the OAuth "
        "client to “query” at the service, or ask for it with response_mode in the "
        "authorize_parameters of the connector's definition.",
        status=405,
    )


def issuer_mismatch_message(service: str, said: str, expected: str) -> str:
    """Show both: that they differ by a slash, say, only somebody who sees them can find."""
    told = f"it says “{words(said, 120)}”" if said else "it names none"
    return (
        f"The answer does not say that it comes from {service}, so it was not used: its issuer "
        f"must be “{words(expected, 120)}”, to the letter, and {told}. If that is the service's "
        "own, the operator of this console can correct the connector's definition."
    )


def error_response_message(service: str, query: Mapping[str, str], asked: Sequence[str]) -> str:
    """Say in words why the service sent the person back without a code, and what to do."""
    code = words(query.get("error", ""), 60)
    if code == "access_denied":
        return (
            f"{service} was not allowed to connect: the request was declined on its page."
            + advice(code)
        )
    asked_for = f" It asked for {words(', '.join(asked), 160)}." if code == "invalid_scope" else ""
    return (
        f"{service} did not authorize this connection ({error_text(query)}).{advice(code)}"
        f"{asked_for}"
    )


def error_text(query: Mapping[str, str]) -> str:
    """Return the error code and its description, cut and fit to be shown."""
    code = words(query.get("error", ""), 60)
    description = words(query.get("error_description", ""), 200)
    return ": ".join(part for part in (code, description) if part) or "it gave no reason"
