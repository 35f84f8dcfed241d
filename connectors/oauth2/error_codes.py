"""What a person can do about an error code of OAuth 2 (RFC 6749 sections 4.1.2.1 and 5.2).

OpenID Connect Core section 3.1.2.6 has some more. A service's own codes are said as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

_ALLOW_IT_THERE = "Press Authorize again, sign in there, and allow what it asks for."
_DEFINITION = (
    "The connector's definition does not fit the service: tell the operator of this console."
)
_REGISTRATION = (
    "A super admin can correct how this console is registered there: its client ID, and what that "
    "client may do."
)
_PASSING = "That should pass: try again in some minutes."

_ADVICE: Mapping[str, str] = {
    "access_denied": _ALLOW_IT_THERE,
    "account_selection_required": _ALLOW_IT_THERE,
    "consent_required": _ALLOW_IT_THERE,
    "interaction_required": _ALLOW_IT_THERE,
    "login_required": _ALLOW_IT_THERE,
    "invalid_client": _REGISTRATION,
    "unauthorized_client": _REGISTRATION,
    "invalid_request": _DEFINITION,
    "unsupported_grant_type": _DEFINITION,
    "unsupported_response_type": _DEFINITION,
    "invalid_scope": (
        "It does not know a permission that the connection asks for, or does not allow it to this "
        "console's client. Change the connection's permissions, or allow them there."
    ),
    "server_error": _PASSING,
    "temporarily_unavailable": _PASSING,
}


def advice(code: str) -> str:
    """Return a sentence that says what to do, with a space before it; empty where none is known."""
    found = _ADVICE.get(code)
    return f" {found}" if found else ""
