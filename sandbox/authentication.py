"""API authentication: bearer token, HTTP Basic, or API key."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from django.contrib.auth import authenticate
from django.http import HttpRequest, JsonResponse
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request

from sandbox.models import Person


class RequestRefused(Exception):
    """The caller gets ``response`` instead of the requested data."""

    def __init__(self, response: JsonResponse) -> None:
        super().__init__(response.status_code)
        self.response = response


#: Returns the person that a request acts for; the second argument is the required scope.
Guard = Callable[[HttpRequest, str], Person]


def refusal(status: int, code: str, message: str, challenge: str = "") -> JsonResponse:
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    return JsonResponse({"error": code, "message": message}, status=status, headers=headers)


def bearer(request: HttpRequest, scope: str) -> Person:
    """Return the owner of the access token (RFC 6750)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise RequestRefused(
            refusal(401, "missing_token", "Send an access token.", 'Bearer realm="Sandbox"')
        )
    # Any: the validator adds the person and the error to the request.
    call: Any = Request(request.build_absolute_uri(request.path))
    if OAuth2Validator().validate_bearer_token(token.strip(), [scope], call):
        return call.user
    if call.oauth2_error["error"] == "insufficient_scope":
        challenge = f'Bearer realm="Sandbox", error="insufficient_scope", scope="{scope}"'
        message = f"The access token does not have the scope {scope}."
        raise RequestRefused(refusal(403, "insufficient_scope", message, challenge))
    raise RequestRefused(withdrawn_token(request))


def withdrawn_token(request: HttpRequest) -> JsonResponse:
    return refusal(
        401,
        "invalid_token",
        "The access token is invalid, expired or revoked.",
        'Bearer realm="Sandbox", error="invalid_token"',
    )


def basic(request: HttpRequest, scope: str) -> Person:
    """Return the person with this user name and password (RFC 7617)."""
    user_name, _, password = _decoded_basic(request).partition(":")
    person = authenticate(request, username=user_name, password=password)
    if person is None:
        raise RequestRefused(withdrawn_password(request))
    return person


def _decoded_basic(request: HttpRequest) -> str:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ":"
    try:
        return base64.b64decode(encoded.strip().encode("ascii"), validate=True).decode()
    except (UnicodeError, binascii.Error):
        return ":"


def withdrawn_password(request: HttpRequest) -> JsonResponse:
    return refusal(
        401,
        "invalid_credentials",
        "The user name or the password is wrong.",
        'Basic realm="Sandbox", charset="UTF-8"',
    )


def key(request: HttpRequest, scope: str) -> Person:
    """Return the owner of the key in ``X-Api-Key``."""
    api_key = request.headers.get("X-Api-Key", "")
    person = Person.objects.filter(api_key=api_key, is_active=True).first() if api_key else None
    if person is None:
        raise RequestRefused(withdrawn_key(request))
    return person


def withdrawn_key(request: HttpRequest) -> JsonResponse:
    return refusal(
        401,
        "invalid_key",
        "The API key is missing or wrong.",
        # Every 401 needs a challenge (RFC 9110, 15.5.2), yet no scheme is registered for keys.
        'ApiKey realm="Sandbox", header="X-Api-Key"',
    )


#: The response of each way of authentication after access was withdrawn.
WITHDRAWN: dict[Guard, Callable[[HttpRequest], JsonResponse]] = {
    bearer: withdrawn_token,
    basic: withdrawn_password,
    key: withdrawn_key,
}
