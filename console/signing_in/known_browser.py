"""Device cookie: a signed cookie for browsers in which a person has signed in before.

Many wrong passwords from one network block sign-in for browsers without the cookie. Colleagues
in the same network can still sign in with theirs (OWASP, "Slow Down Online Guessing Attacks with
Device Cookies"). The cookie gives no access, and wrong passwords for its account still count.
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
MAX_AGE = timedelta(days=90)


def remember(response: HttpResponseBase, user: User) -> None:
    """Set the device cookie."""
    response.set_cookie(
        COOKIE,
        signing.dumps(str(user.pk), salt=COOKIE),
        max_age=MAX_AGE,
        path=reverse("account_login"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def is_known(request: HttpRequest, email: str) -> bool:
    """Tell whether the account of this address has signed in with this browser before."""
    try:
        known = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=MAX_AGE)
    except signing.BadSignature:
        return False
    user = account_of(email)
    return user is not None and known == str(user.pk)
