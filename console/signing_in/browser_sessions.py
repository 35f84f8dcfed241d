"""The browsers in which people are signed in: allauth's ``UserSession`` with hashed keys.

allauth stores session keys in plain text, and anyone who reads one can use the session. So this
module replaces its signal receivers and its page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.signals import password_changed, password_set, user_logged_in
from allauth.usersessions import signals
from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from console.accounts.models import User
from console.signing_in.session_store import row_key


@dataclass(frozen=True, kw_only=True)
class BrowserSession:
    """A browser in which a person is signed in; ``is_current`` for that of the request."""

    session: UserSession
    is_current: bool


def connect_signals() -> None:
    """Replace allauth's signal receivers."""
    user_logged_in.disconnect(signals.on_user_logged_in)
    user_logged_in.connect(save_browser, dispatch_uid="browsers")
    for changed in (password_changed, password_set):
        changed.disconnect(signals.on_password_changed)
        # A password change gives the session a new key.
        changed.connect(save_browser, dispatch_uid="browsers")


def save_browser(request: HttpRequest, **kwargs: Any) -> None:
    """Save the IP address and browser of a session that has just started."""
    active_sessions(request)
    max_length = UserSession._meta.get_field("user_agent").max_length
    UserSession.objects.update_or_create(
        session_key=row_key(str(request.session.session_key)),
        defaults={
            "user": request.user,
            "ip": get_adapter().get_client_ip(request),
            "user_agent": request.META.get("HTTP_USER_AGENT", "")[:max_length],
        },
    )


def active_sessions(request: HttpRequest) -> list[BrowserSession]:
    """List a person's sessions, newest first, and delete those that have ended."""
    user, current = cast(User, request.user), row_key(str(request.session.session_key))
    active = []
    for session in UserSession.objects.filter(user=user).order_by("-created_at"):
        if _is_active(session, user):
            active.append(
                BrowserSession(session=session, is_current=session.session_key == current)
            )
        else:
            session.delete()
    return active


@transaction.atomic
def sign_out_elsewhere(request: HttpRequest) -> None:
    """End all sessions of the person except the current one."""
    others = [each.session for each in active_sessions(request) if not each.is_current]
    Session.objects.filter(session_key__in=[other.session_key for other in others]).delete()
    UserSession.objects.filter(pk__in=[other.pk for other in others]).delete()


def _is_active(session: UserSession, user: User) -> bool:
    """Tell whether a session exists and is newer than the last password change."""
    rows = Session.objects.filter(expire_date__gt=timezone.now())
    row = rows.filter(session_key=session.session_key).first()
    data = row.get_decoded() if row else {}
    auth_hash = str(data.get(HASH_SESSION_KEY, ""))
    return data.get(SESSION_KEY) == str(user.pk) and constant_time_compare(
        auth_hash, user.get_session_auth_hash()
    )
