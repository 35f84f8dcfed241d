"""Request validation of the OAuth 2 server, where it differs from django-oauth-toolkit."""

from __future__ import annotations

import hashlib
from typing import Any

from oauth2_provider.models import RefreshToken
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request

from sandbox.models import Switches
from sandbox.request_counts import count


class Validator(OAuth2Validator):
    def rotate_refresh_token(self, request: Request) -> bool:
        """Keep the old refresh token valid while no new ones are issued."""
        return not Switches.current().withhold_refresh_token

    def validate_refresh_token(
        self, refresh_token: str, client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Count the reuse of rotated refresh tokens (RFC 9700 section 4.14.2)."""
        reused = _has_successor(refresh_token)
        valid = super().validate_refresh_token(refresh_token, client, request, *args, **kwargs)
        if reused and not valid:
            count("reuse")
        return valid


def _has_successor(refresh_token: str) -> bool:
    """Return whether the token was rotated, rather than revoked."""
    checksum = hashlib.sha256(refresh_token.encode()).hexdigest()
    token = RefreshToken.objects.filter(token_checksum=checksum, revoked__isnull=False).first()
    return (
        token is not None
        and RefreshToken.objects.filter(token_family=token.token_family, pk__gt=token.pk).exists()
    )
