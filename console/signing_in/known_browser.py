"""A signed cookie by which a browser shows that somebody has signed in with it before.

Many wrong passwords from one place slow down strangers there. They must not keep out colleagues
behind the same network address (OWASP, "Slow Down Online Guessing Attacks with Device
Cookies"). The cookie opens nothing: wrong passwords for its account are counted as ever.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from console.accounts.email_addresses import account_of
from console.accounts.models import User

COOKIE = "console-browser"
KEPT_FOR = timedelta(days=90)


def remember(response: HttpResponseBase, user: User) -> None:
    """Let this browser show later that this person has signed in with it."""
    response.set_cookie(
        COOKIE,
        signing.dumps(str(user.pk), salt=COOKIE),
        max_age=KEPT_FOR,
        path=reverse("account_login"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def is_known(request: HttpRequest, email: str) -> bool:
    """Tell whether the account of this address has signed in with this browser."""
    try:
        known = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=KEPT_FOR)
    except signing.BadSignature:
        return False
    user = account_of(email)
    return user is not None and known == str(user.pk)
