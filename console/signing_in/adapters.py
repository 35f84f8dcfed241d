"""How django-allauth signs people in here."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.utils import has_verified_email
from allauth.core import context
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from console import mail
from console.accounts.models import User
from console.audit.sign_in_events import password_changed
from console.encryption.fernet_keys import SecretUnreadable, decrypt_text, encrypt_text
from console.public_url import public_url
from console.signing_in import email_changes, known_browser, lockout
from console.signing_in.factors import PURPOSE
from console.signing_in.reauthentication import signed_in_lately
from console.signing_in.unit_of_work import mail_is_held

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up by himself; guessing is limited; mail that fails breaks nothing."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The e-mail address or the password is wrong. Try again, or "
        "set a new password.",
        "incorrect_password": "That is not your password. Nothing was changed. Try again.",
        "incorrect_code": "The code is wrong or was used before.",
        "enter_current_password": "That is not your present password. Nothing was changed.",
        "email_taken": "Another account has this address. Nothing was changed. If the address is "
        "yours, sign out and set a new password for that account by mail.",
        "too_many_login_attempts": "There were too many wrong tries. To stop guessing, no more "
        "are taken for a few minutes. Try again in five.",
        "rate_limited": "There were too many wrong tries. Wait for five minutes and try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def clean_email(self, email: str) -> str:
        return User.objects.normalize_email(email)

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Say so where an address is not confirmed and no code can be mailed to it."""
        response = super().pre_login(request, user, **kwargs)
        if response is None and mail.is_off() and not has_verified_email(user, kwargs["email"]):
            return render(request, "account/unconfirmed.html", {"address": user.email}, status=403)
        return response

    def get_email_verification_redirect_url(self, email_address: EmailAddress) -> str:
        return reverse("account_email")

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Confirm an address by the code that was mailed to it, and tell the address before."""
        user = email_address.user
        before = user.email
        with transaction.atomic():
            # Who signs in for the first time is signed in only after this.
            done = super().confirm_email(request, email_address)
            if done:
                email_changes.confirmed(email_address, user)
        if done and before != email_address.email:
            added = {"address": email_address.email}
            self.send_notification_mail("account/email/email_added", user, added, before)
        return done

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse while guessing is paused, before the password is looked at."""
        if lockout.is_paused(request, credentials):
            raise ValidationError(lockout.sentence(request, credentials))
        self._spread = None
        known = request.user.is_authenticated or known_browser.is_known(
            request, lockout.account(request, credentials)
        )
        if not known:
            self._spread = ratelimit.consume(
                request,
                app="allauth.account",
                action="login_spread",
                key=str(lockout.address(request)),
            )
            if self._spread is None:
                raise self.validation_error("too_many_login_attempts")
        super().pre_authenticate(request, **credentials)

    def _rollback_login_failed_rl_usage(self) -> None:
        """Count wrong passwords alone, also among those that come from one place."""
        super()._rollback_login_failed_rl_usage()
        if self._spread:
            self._spread.rollback()

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        known_browser.remember(response, user)
        return response

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Say it with the try that starts the pause, and not only with the next one."""
        if getattr(request, "axes_locked_out", False):
            raise ValidationError(lockout.sentence(request, credentials))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count by account and address: by account alone a stranger could lock anybody out."""
        return f"{lockout.account(request, credentials)}:{lockout.address(request)}"

    def set_password(self, user: User, password: str) -> None:
        """End the pause together with the password that was guessed at."""
        with transaction.atomic():
            super().set_password(user, password)
            password_changed(user)
        lockout.forget(user.email)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Count signing in as well: who typed his password just now is not asked again."""
        return super().is_reauthentication_required(app=app, **kwargs) and not signed_in_lately(
            context.request
        )

    def is_safe_url(self, url: str) -> bool:
        """Follow a path, or an address of this console with its very scheme, host and port."""
        public = urlsplit(settings.PUBLIC_URL)
        if not url_has_allowed_host_and_scheme(url, allowed_hosts={public.netloc}):
            return False
        given = urlsplit(url)
        return not given.netloc or (given.scheme, given.netloc) == (public.scheme, public.netloc)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Name the console by its public address: the Host of a request is anybody's word."""
        return public_url("account_reset_password_from_key", *key.split("-", 1))

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Send, or say that it failed: what the mail is about has happened already."""
        if mail_is_held(lambda: self.send_mail(template_prefix, email, context)):
            return
        host = urlsplit(settings.PUBLIC_URL).netloc
        try:
            super().send_mail(template_prefix, email, {"host": host, **context})
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
        return encrypt_text(text, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Open it; one that does not open fits no code, so that the person's others still do."""
        try:
            return decrypt_text(encrypted_text, purpose=PURPOSE)
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
