"""How django-allauth signs people in here."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from connections.sealing import SecretUnreadable, open_text, seal_text
from console.accounts.models import User
from console.audit.sessions import password_changed
from console.signing_in import guessing
from console.signing_in.again import signed_in_lately
from console.signing_in.factors import PURPOSE

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up by himself; guessing is limited; mail that fails breaks nothing."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The e-mail address or the password is wrong. Try again, or "
        "set a new password.",
        "incorrect_password": "That is not your password. Nothing was changed. Try again.",
        "incorrect_code": "The code is wrong or was used before.",
        "enter_current_password": "That is not your present password. Nothing was changed.",
        "too_many_login_attempts": "There were too many wrong tries. To stop guessing, no more "
        "are taken for a few minutes. Try again in five.",
        "rate_limited": "There were too many wrong tries. Wait for five minutes and try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse while guessing is paused, before the password is looked at."""
        if guessing.is_paused(request, credentials):
            raise ValidationError(guessing.sentence(request, credentials))
        super().pre_authenticate(request, **credentials)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Say it with the try that starts the pause, and not only with the next one."""
        if getattr(request, "axes_locked_out", False):
            raise ValidationError(guessing.sentence(request, credentials))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count by account and address: by account alone a stranger could lock anybody out."""
        key = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{key}:{guessing.address(request)}"

    def set_password(self, user: User, password: str) -> None:
        """End the pause together with the password that was guessed at."""
        with transaction.atomic():
            super().set_password(user, password)
            password_changed(user)
        guessing.forget(user.email)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Count signing in as well: who typed his password just now is not asked again."""
        return super().is_reauthentication_required(app=app, **kwargs) and not signed_in_lately(
            context.request
        )

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Send, or say that it failed: what the mail is about has happened already."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError:
            logger.exception("A mail was not sent: %s", template_prefix)
            messages.error(
                self.request,
                "The mail could not be sent: the mail server did not take it. Everything else "
                "was done. Whoever runs this console can mend EMAIL_URL.",
            )


class MFAAdapter(DefaultMFAAdapter):
    """Seals what a second factor rests on, and ties passkeys to this console's address."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "That did not fit. Codes change every 30 seconds and work once: wait for "
        "the next one, and check that the clock of your phone is right.",
    }

    def encrypt(self, text: str) -> str:
        return seal_text(text, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Open it; one that does not open fits no code, so that the person's others still do."""
        try:
            return open_text(encrypted_text, purpose=PURPOSE)
        except SecretUnreadable as error:
            logger.error("%s", error)  # and a line under *Health*
            return generate_totp_secret()

    def get_totp_issuer(self) -> str:
        return f"Developer Console ({urlsplit(settings.PUBLIC_URL).hostname})"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Name the console by its public address: the Host of a request is anybody's word."""
        return {"id": urlsplit(settings.PUBLIC_URL).hostname or "", "name": "Developer Console"}

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        number = user.authenticator_set.filter(type=type).count() + 1
        return "My passkey" if number == 1 else f"My passkey {number}"
