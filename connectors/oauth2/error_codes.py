"""Advice for OAuth 2 error codes (RFC 6749 sections 4.1.2.1 and 5.2).

Also for the codes of OpenID Connect Core section 3.1.2.6. Other codes have no advice.
"""

from __future__ import annotations

from collections.abc import Mapping

_ALLOW_IT_THERE = "Press Authorize again, sign in there, and allow access."
_DEFINITION = (
    "The connector's definition does not match the service. Contact the operator of this console."
)
_REGISTRATION = (
    "A super admin can fix the registration of this console there: its client ID and what the "
    "client is allowed to do."
)
_PASSING = "Try again in a few minutes."

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
        "It does not know a permission of this connection, or does not allow it for this console's "
        "client. Change the connection's permissions, or allow them there."
    ),
    "server_error": _PASSING,
    "temporarily_unavailable": _PASSING,
}


def advice(code: str) -> str:
    """Return a sentence that says what to do, after a space; empty if there is no advice."""
    found = _ADVICE.get(code)
    return f" {found}" if found else ""
