"""Demo only: change to another account of the demo without typing the password again.

All accounts of the demo have one password, and a person who is signed in to one of them knows it.
So this opens nothing that the password would not open. ``DEMO_ACCOUNTS`` is empty elsewhere.
"""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import (
    AUTHENTICATION_METHODS_SESSION_KEY,
    get_authentication_records,
    perform_login,
    record_authentication,
)
from allauth.account.models import Login
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from console.accounts.models import User


def other_accounts(user: Any) -> QuerySet[User]:
    """Return the accounts to which a person can change: the same password, no second factor."""
    if user.email not in settings.DEMO_ACCOUNTS:
        return User.objects.none()
    # Every password has a salt, so equal hashes mean that the account still has the demo's one.
    same = User.objects.filter(
        email__in=settings.DEMO_ACCOUNTS, password=user.password, is_active=True
    )
    return same.filter(authenticator=None).exclude(pk=user.pk).order_by("email")


def change_account(request: HttpRequest, account: User) -> HttpResponseBase:
    """Sign in as another account; the password counts as typed when it really was."""
    typed = [record["at"] for record in get_authentication_records(request, request.user)]
    response = perform_login(request, Login(user=account, email=account.email))
    if typed and request.user == account:
        record_authentication(request, account, method="password", email=account.email)
        records = request.session[AUTHENTICATION_METHODS_SESSION_KEY]
        request.session[AUTHENTICATION_METHODS_SESSION_KEY] = [
            *records[:-1],
            {**records[-1], "at": typed[-1]},
        ]
    return response
