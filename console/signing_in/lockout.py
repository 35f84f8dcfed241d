"""Lock out password guessing, with django-axes, by account and network together.

Attempts for an account from another network are counted separately, so a stranger who guesses
locks out only themselves and not the account's owner.
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

#: A host can use every address of its IPv6 network, so all of them count as one.
IPV6_PREFIX = 64


def account(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """Return the e-mail address of an attempt, in lower case (``AXES_USERNAME_CALLABLE``)."""
    given = credentials if credentials is not None else request.POST.dict()
    name = given.get("email") or given.get("login") or given.get("username") or ""
    return str(name).strip().lower()


def address(request: HttpRequest) -> str | None:
    """Return the network of the client (``AXES_CLIENT_IP_CALLABLE``).

    The IP address is allauth's, which depends on ``TRUSTED_PROXY_COUNT``, so that lockout and
    allauth's rate limits count the same clients.
    """
    if not request.META.get("REMOTE_ADDR"):
        return None
    return network_of(get_adapter().get_client_ip(request))


def network_of(client_ip: str) -> str:
    """Return an IPv4 address as it is, and the network of an IPv6 address."""
    address = ip_address(client_ip)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_PREFIX), strict=False).network_address)
    return str(address)


def is_locked_out(request: HttpRequest, credentials: dict[str, Any]) -> bool:
    """Tell whether this account is locked for this network, and mark the request for axes."""
    locked_out = not AxesProxyHandler.is_allowed(request, credentials)
    if locked_out:
        vars(request).update(axes_locked_out=True, axes_credentials=credentials)
    return locked_out


def message(request: HttpRequest, credentials: dict[str, Any]) -> str:
    """Return the message to a person who is locked out."""
    minutes = -(-_seconds_left(request, credentials) // 60)
    when = "a minute" if minutes == 1 else f"{minutes} minutes"
    return (
        f"Sign-in to this account is blocked from your network for {when}, after "
        f"{settings.AXES_FAILURE_LIMIT} wrong passwords. Try again then, or reset your password "
        "to sign in now."
    )


def refuse(
    request: HttpRequest, response: HttpResponse, credentials: dict[str, Any] | None
) -> HttpResponse:
    """Return the sign-in page as a 429 with ``Retry-After`` (``AXES_LOCKOUT_CALLABLE``)."""
    response.status_code = 429
    response["Retry-After"] = str(_seconds_left(request, credentials or {}))
    return response


def unlock(email: str) -> None:
    """End all lockouts of an account."""
    reset(username=email.lower())


def _seconds_left(request: HttpRequest, credentials: dict[str, Any]) -> int:
    attempts = AccessAttempt.objects.filter(
        username=account(request, credentials), ip_address=address(request)
    )
    last: datetime | None = attempts.aggregate(last=Max("attempt_time"))["last"]
    until = (last or timezone.now()) + settings.AXES_COOLOFF_TIME
    return max(1, int((until - timezone.now()).total_seconds()))
