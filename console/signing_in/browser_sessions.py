"""Where somebody is signed in: allauth's ``UserSession``, by the hashed key of the session.

allauth keeps the key in clear, with which anybody who reads the table is signed in. So its
receivers and its page give way to these.
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
class Browser:
    """A browser in which somebody is signed in; perhaps the one that asks."""

    session: UserSession
    is_current: bool


def listen() -> None:
    """Take the place of allauth's receivers; called twice, it listens once."""
    user_logged_in.disconnect(signals.on_user_logged_in)
    user_logged_in.connect(remember, dispatch_uid="browsers")
    for changed in (password_changed, password_set):
        changed.disconnect(signals.on_password_changed)
        # The session goes on under another key.
        changed.connect(remember, dispatch_uid="browsers")


def remember(request: HttpRequest, **kwargs: Any) -> None:
    """Write down from where and with what somebody has signed in."""
    browsers_of(request)
    longest = UserSession._meta.get_field("user_agent").max_length
    UserSession.objects.update_or_create(
        session_key=row_key(str(request.session.session_key)),
        defaults={
            "user": request.user,
            "ip": get_adapter().get_client_ip(request),
            "user_agent": request.META.get("HTTP_USER_AGENT", "")[:longest],
        },
    )


def browsers_of(request: HttpRequest) -> list[Browser]:
    """List where the person is signed in, newest first, and forget what has ended."""
    user, here = cast(User, request.user), row_key(str(request.session.session_key))
    kept = []
    for session in UserSession.objects.filter(user=user).order_by("-created_at"):
        if _goes_on(session, user):
            kept.append(Browser(session=session, is_current=session.session_key == here))
        else:
            session.delete()
    return kept


@transaction.atomic
def sign_out_elsewhere(request: HttpRequest) -> None:
    """End every session of the person but this one."""
    others = [each.session for each in browsers_of(request) if not each.is_current]
    Session.objects.filter(session_key__in=[other.session_key for other in others]).delete()
    UserSession.objects.filter(pk__in=[other.pk for other in others]).delete()


def _goes_on(session: UserSession, user: User) -> bool:
    """Tell whether a session is there, and from after the last change of the password."""
    rows = Session.objects.filter(expire_date__gt=timezone.now())
    row = rows.filter(session_key=session.session_key).first()
    held = row.get_decoded() if row else {}
    hashed = str(held.get(HASH_SESSION_KEY, ""))
    return held.get(SESSION_KEY) == str(user.pk) and constant_time_compare(
        hashed, user.get_session_auth_hash()
    )
