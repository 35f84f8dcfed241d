"""django-allauth's adapters: sign-in, second factors, and the mail about both."""

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
from console.signing_in.reauthentication import authenticated_recently
from console.signing_in.unit_of_work import defer_mail

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Sign-in by invitation only, with limits on password guessing, and its mail."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The e-mail address or the password is wrong. Try again, or "
        "reset your password.",
        "incorrect_password": "Wrong password. Nothing was changed. Try again.",
        "incorrect_code": "The code is wrong or was already used.",
        "enter_current_password": "Wrong current password. Nothing was changed.",
        "email_taken": "Another account has this address. Nothing was changed. If the address is "
        "yours, sign out and reset the password of that account.",
        "too_many_login_attempts": "Too many failed attempts. Try again in five minutes.",
        "rate_limited": "Too many failed attempts. Try again in five minutes.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def clean_email(self, email: str) -> str:
        return User.objects.normalize_email(email)

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Explain the refusal if an address is not confirmed and no code can be mailed to it."""
        response = super().pre_login(request, user, **kwargs)
        if response is None and mail.is_off() and not has_verified_email(user, kwargs["email"]):
            return render(request, "account/unconfirmed.html", {"address": user.email}, status=403)
        return response

    def get_email_verification_redirect_url(self, email_address: EmailAddress) -> str:
        return reverse("account_email")

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Confirm an address by its code, record it, and notify the previous primary address."""
        user = email_address.user
        before = user.email
        with transaction.atomic():
            # The event names the user: at their first sign-in, nobody is signed in yet.
            done = super().confirm_email(request, email_address)
            if done:
                email_changes.confirmed(email_address, user)
        if done and before != email_address.email:
            added = {"address": email_address.email}
            self.send_notification_mail("account/email/email_added", user, added, before)
        return done

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Reject attempts during a lockout, before the password is checked."""
        if lockout.is_locked_out(request, credentials):
            raise ValidationError(lockout.message(request, credentials))
        self._network_usage = None
        known = request.user.is_authenticated or known_browser.is_known(
            request, lockout.account(request, credentials)
        )
        if not known:
            self._network_usage = ratelimit.consume(
                request,
                app="allauth.account",
                action="login_spread",
                key=str(lockout.address(request)),
            )
            if self._network_usage is None:
                raise self.validation_error("too_many_login_attempts")
        super().pre_authenticate(request, **credentials)

    def _rollback_login_failed_rl_usage(self) -> None:
        """Count only wrong passwords against the limit per network as well."""
        super()._rollback_login_failed_rl_usage()
        if self._network_usage:
            self._network_usage.rollback()

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        known_browser.remember(response, user)
        return response

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Explain the lockout with the attempt that starts it, not only with the next one."""
        if getattr(request, "axes_locked_out", False):
            raise ValidationError(lockout.message(request, credentials))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count by account and network, so that a stranger cannot lock out the account's owner."""
        return f"{lockout.account(request, credentials)}:{lockout.address(request)}"

    def set_password(self, user: User, password: str) -> None:
        """Record the change, and end lockouts: the guessed password no longer exists."""
        with transaction.atomic():
            super().set_password(user, password)
            password_changed(user)
        lockout.unlock(user.email)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Accept a recent sign-in instead of reauthentication."""
        return super().is_reauthentication_required(
            app=app, **kwargs
        ) and not authenticated_recently(context.request)

    def is_safe_url(self, url: str) -> bool:
        """Allow only paths, and URLs with the scheme, host and port of ``PUBLIC_URL``."""
        public = urlsplit(settings.PUBLIC_URL)
        if not url_has_allowed_host_and_scheme(url, allowed_hosts={public.netloc}):
            return False
        given = urlsplit(url)
        return not given.netloc or (given.scheme, given.netloc) == (public.scheme, public.netloc)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Use ``PUBLIC_URL``, because a client can forge the Host header."""
        return public_url("account_reset_password_from_key", *key.split("-", 1))

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Send a mail, after the commit in a unit of work; show a message if it fails.

        A failure must not become an error page: the change that the mail reports is saved.
        """
        if defer_mail(lambda: self.send_mail(template_prefix, email, context)):
            return
        try:
            mail.send(template_prefix, [email], {"email": email, **context})
        except OSError:
            logger.exception("The mail server did not accept the mail %s.", template_prefix)
            messages.error(
                self.request,
                "The mail could not be sent because the mail server did not accept it. "
                "Everything else was saved. Ask an operator of this console to check EMAIL_URL.",
            )


class MFAAdapter(DefaultMFAAdapter):
    """Encrypt the secrets of second factors, and bind passkeys to the host of ``PUBLIC_URL``."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "Wrong code. Codes change every 30 seconds and work once: wait for the "
        "next one, and check that the clock of your phone is right.",
    }

    def encrypt(self, text: str) -> str:
        return encrypt_text(text, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt a secret; if it cannot be decrypted, return a random one.

        No code matches a random secret, and the person's other factors still work.
        """
        try:
            return decrypt_text(encrypted_text, purpose=PURPOSE)
        except SecretUnreadable as error:
            logger.error("%s", error)  # *Health* shows it as well
            return generate_totp_secret()

    def get_totp_issuer(self) -> str:
        return f"Developer Console ({urlsplit(settings.PUBLIC_URL).hostname})"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Use ``PUBLIC_URL``, because a client can forge the Host header."""
        return {"id": urlsplit(settings.PUBLIC_URL).hostname or "", "name": "Developer Console"}

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        number = user.authenticator_set.filter(type=type).count() + 1
        return "My passkey" if number == 1 else f"My passkey {number}"
