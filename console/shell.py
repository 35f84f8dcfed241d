"""What every page of the shell shows: the doors that this person may open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from console.accounts.models import Membership
from console.accounts.policy import ALLOWED, Action

#: Pages behind a door whose addresses do not begin with its own.
_BEHIND = {
    "/microservices/": ("/connections/",),
    "/apps/": ("/applications/", "/components/", "/releases/"),
}


@dataclass(frozen=True, kw_only=True)
class Door:
    """One entry of the left pane."""

    label: str
    url: str
    icon: str
    current: bool
    count: int = 0


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give the templates ``memberships``, ``navigation`` and, to search in, ``search_url``."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    memberships = list(Membership.objects.filter(user=user).select_related("organization"))

    def may(action: Action) -> bool:
        return any(membership.role in ALLOWED[action] for membership in memberships)

    connections = reverse("connection_list")
    doors = [("Home", reverse("home"), "home")]
    if may(Action.MANAGE_CONNECTIONS):
        doors += [
            ("Applications", reverse("application_list"), "apps"),
            ("Microservices", connections, "plug"),
        ]
    if may(Action.MANAGE_OAUTH_CLIENTS) or user.is_superuser:
        doors.append(("Administration", reverse("admin:index"), "settings"))
    return {
        "memberships": memberships,
        "navigation": [
            Door(label=label, url=url, icon=icon, current=_stands_in(request.path, url))
            for label, url, icon in doors
        ],
        "search_url": connections if may(Action.MANAGE_CONNECTIONS) else "",
    }


def _stands_in(path: str, url: str) -> bool:
    inside = path.startswith(url) if url != "/" else path == "/"
    return inside or path.startswith(_BEHIND.get(url, ()))
