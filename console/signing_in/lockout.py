"""Guessing passwords: counted by django-axes, by account and address together.

The same e-mail address from elsewhere is another count, so a stranger who guesses keeps
out himself and not the person.
"""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from allauth.account.adapter import get_adapter
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

#: Whoever has one address of an IPv6 network has all 2**64 of them.
IPV6_PREFIX = 64


def account(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """Return whose password is tried, in one spelling (``AXES_USERNAME_CALLABLE``)."""
    given = credentials if credentials is not None else request.POST.dict()
    name = given.get("email") or given.get("login") or given.get("username") or ""
    return str(name).strip().lower()


def address(request: HttpRequest) -> str | None:
    """Return from where, as allauth's own limits see it (``AXES_CLIENT_IP_CALLABLE``).

    Both go by ``TRUSTED_PROXY_COUNT``, so that they cannot disagree about whom they count.
    """
    if not request.META.get("REMOTE_ADDR"):
        return None
    return network_of(get_adapter().get_client_ip(request))


def network_of(given: str) -> str:
    """Return what counts as one place: an IPv4 address, or the network of an IPv6 one."""
    found = ip_address(given)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, IPV6_PREFIX), strict=False).network_address)
    return str(found)


def is_paused(request: HttpRequest, credentials: dict[str, Any]) -> bool:
    """Tell whether tries for this account from this address wait, and mark the request."""
    paused = not AxesProxyHandler.is_allowed(request, credentials)
    if paused:
        request.axes_locked_out = True  # type: ignore[attr-defined]
        request.axes_credentials = credentials  # type: ignore[attr-defined]
    return paused


def sentence(request: HttpRequest, credentials: dict[str, Any]) -> str:
    """Say what happened, why, and when to try again."""
    minutes = -(-_seconds_left(request, credentials) // 60)
    when = "a minute" if minutes == 1 else f"{minutes} minutes"
    return (
        f"A wrong password was given {settings.AXES_FAILURE_LIMIT} times for this account from "
        f"where you are. To stop guessing, no more are taken from there for {when}. Try again "
        "then, or set a new password by mail: that ends the wait."
    )


def refuse(
    request: HttpRequest, response: HttpResponse, credentials: dict[str, Any] | None
) -> HttpResponse:
    """Turn the page that says so into a 429 (``AXES_LOCKOUT_CALLABLE``)."""
    response.status_code = 429
    response["Retry-After"] = str(_seconds_left(request, credentials or {}))
    return response


def forget(email: str) -> None:
    """End every pause for an account."""
    reset(username=email.lower())


def _seconds_left(request: HttpRequest, credentials: dict[str, Any]) -> int:
    tries = AccessAttempt.objects.filter(
        username=account(request, credentials), ip_address=address(request)
    )
    last: datetime | None = tries.aggregate(last=Max("attempt_time"))["last"]
    until = (last or timezone.now()) + settings.AXES_COOLOFF_TIME
    return max(1, int((until - timezone.now()).total_seconds()))
