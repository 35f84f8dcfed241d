"""Record sign-in and sign-out from the signals of allauth and Django.

A receiver that raises prevents both: the session is saved only after the response, and the
sign-out signal is sent before the sign-out.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.signals import user_logged_in
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.db import transaction
from django.utils import timezone

from console.accounts.email_addresses import account_of
from console.accounts.models import User
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject, homes, lock, record, write
from console.audit.models import Event

#: Record a failed sign-in at most this often, so that password guessing does not fill the log.
QUIET = timedelta(minutes=1)


def listen() -> None:
    """Begin to listen; called twice, it listens once."""
    user_logged_in.connect(signed_in, dispatch_uid="audit")
    user_logged_out.connect(signed_out, dispatch_uid="audit")
    user_login_failed.connect(sign_in_failed, dispatch_uid="audit")


def signed_in(user: User, **kwargs: Any) -> None:
    """Record a sign-in in each organization of the person."""
    _tell(AuditAction.USER_SIGNED_IN, user)


def signed_out(user: User | None, **kwargs: Any) -> None:
    """Record a sign-out, unless the session had already expired."""
    if user is not None:
        _tell(AuditAction.USER_SIGNED_OUT, user)


def sign_in_failed(credentials: dict[str, Any], **kwargs: Any) -> None:
    """Record a failed sign-in to an existing account, at most once a minute.

    The typed text is not recorded: people sometimes type a password into the e-mail field.
    """
    email = credentials.get("email") or credentials.get("username") or ""
    user = account_of(email)
    if user is None:
        return
    with transaction.atomic():
        for home in homes(user):
            chain = lock(home)  # two guesses at once are counted one after the other
            seen = Event.objects.filter(
                organization=home,
                object_id=str(user.pk),
                action=AuditAction.USER_SIGN_IN_FAILED,
                at__gt=timezone.now() - QUIET,
            )
            if not seen.exists():
                failed = AuditEntry(
                    action=AuditAction.USER_SIGN_IN_FAILED, subject=Subject.of(user)
                )
                write(chain, None, [failed])


def password_changed(user: User) -> None:
    """Record that a person changed their password, in the transaction that saves it."""
    _tell(AuditAction.USER_PASSWORD_CHANGED, user)


def _tell(action: AuditAction, user: User) -> None:
    with transaction.atomic():
        for home in homes(user):
            record(action, home, user, user)
