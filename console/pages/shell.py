"""What every page of the shell shows: the doors that this person may open."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest
from django.urls import get_script_prefix, reverse

from connectors.version import VERSION
from console.accounts.active_organization import organization_root
from console.accounts.http import ConsoleRequest
from console.accounts.policy import ALLOWED, Action
from console.applications.models import Application
from console.health.problems import Homes, count_stopped

#: Pages behind a door whose addresses do not begin with its own.
_BEHIND = {
    "/microservices/": ("/connections/",),
    "/clients/": ("/shares/",),
    "/apps/": ("/applications/", "/components/", "/keys/", "/releases/", "/webhooks/"),
}


@dataclass(frozen=True, kw_only=True)
class NavigationItem:
    """One entry of the left pane."""

    label: str
    url: str
    icon: str
    current: bool
    count: int = 0


@dataclass(frozen=True, kw_only=True)
class OrganizationItem:
    """One of the person's organizations, at the top of the left pane."""

    name: str
    url: str
    current: bool


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give the templates ``organizations``, ``navigation`` and, to search in, ``search_url``.

    The doors are those of the active organization; of all of them where none is active.
    """
    if not hasattr(request, "memberships") or not request.user.is_authenticated:
        return {}
    request = cast(ConsoleRequest, request)
    user, active = request.user, request.organization
    roles = {
        membership.role
        for membership in request.memberships
        if active in (None, membership.organization)
    }

    def may(action: Action) -> bool:
        return not ALLOWED[action].isdisjoint(roles)

    connections = reverse("connection_list")
    doors = [("Home", reverse("home"), "home")]
    if may(Action.MANAGE_CONNECTIONS):
        doors += [
            ("Applications", reverse("application_list"), "apps"),
            ("Microservices", connections, "plug"),
        ]
    if may(Action.MANAGE_CLIENTS) or (
        may(Action.DISTRIBUTE) and Application.objects.allowing(user, Action.DISTRIBUTE).exists()
    ):
        doors.append(("Clients", reverse("client_list"), "users"))
    if may(Action.USE_INSTALLED):
        doors.append(("Installed", reverse("installation_list"), "download"))
        doors.append(("Health", reverse("health_list"), "heartbeat"))
    doors.append(("Marketplace", reverse("marketplace"), "building-store"))
    if may(Action.READ_AUDIT) or user.is_superuser:
        doors.append(("Activity", reverse("event_list"), "history"))
    if may(Action.MANAGE_OAUTH_CLIENTS) or user.is_superuser:
        doors.append(("Administration", reverse("admin:index"), "settings"))
    counts = {"Health": _stopped(request)} if may(Action.USE_INSTALLED) else {}
    return {
        "version": VERSION,
        "organizations": [
            OrganizationItem(
                name=membership.organization.name,
                url=organization_root(request, membership.organization),
                current=membership.organization == active,
            )
            for membership in request.memberships
        ],
        "navigation": [
            NavigationItem(
                label=label,
                url=url,
                icon=icon,
                current=_stands_in(request.path, url),
                count=counts.get(label, 0),
            )
            for label, url, icon in doors
        ],
        "search_url": connections if may(Action.MANAGE_CONNECTIONS) else "",
    }


def _stopped(request: ConsoleRequest) -> int:
    active = request.organization

    def allowing(action: Action) -> list[uuid.UUID]:
        return [
            membership.organization_id
            for membership in request.memberships
            if membership.role in ALLOWED[action] and active in (None, membership.organization)
        ]

    return count_stopped(request.user, Homes.where(allowing))


def _stands_in(path: str, url: str) -> bool:
    before = get_script_prefix()[:-1]
    path, url = path.removeprefix(before), url.removeprefix(before)
    inside = path.startswith(url) if url != "/" else path == "/"
    return inside or path.startswith(_BEHIND.get(url, ()))
