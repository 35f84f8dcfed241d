"""Reason codes: why an authorization does not work, for programs.

The sentence for people is stored beside the code (``Authorization.reason``). Codes are part of
the API and of webhook messages: never rename one. ``docs/guides/developer.md`` lists them.
"""

from __future__ import annotations

from enum import StrEnum


class ReasonCode(StrEnum):
    """Why a connection cannot call with an authorization."""

    NEVER_AUTHORIZED = "never_authorized"
    #: The service issued no refresh token, and the time of its access token is over.
    ACCESS_EXPIRED = "access_expired"
    #: The service said when the refresh token ends, and that time is over.
    REFRESH_TOKEN_EXPIRED = "refresh_token_expired"
    #: The service refused the refresh token (``invalid_grant``): it was withdrawn or has ended.
    REFRESH_TOKEN_REFUSED = "refresh_token_refused"
    #: For a long time the service has refused to renew the access, and has not said why.
    REFRESH_REFUSED_WITHOUT_REASON = "refresh_refused_without_reason"
    #: The answer to a refresh was lost, and the next refresh was refused.
    REFRESH_OUTCOME_UNKNOWN = "refresh_outcome_unknown"
    #: The API refuses the key, the password or a token that was just renewed.
    CREDENTIAL_REFUSED = "credential_refused"
    #: A person revoked it in this console.
    REVOKED_HERE = "revoked_here"
    #: The person who gave it is deactivated.
    PERSON_DEACTIVATED = "person_deactivated"
    #: The person who gave it has left.
    PERSON_LEFT = "person_left"
    #: It was authorized for other settings than the connection has now.
    SETTINGS_CHANGED = "settings_changed"
    PERMISSIONS_MISSING = "permissions_missing"
    #: It ended before the console stored codes.
    UNKNOWN = "unknown"
