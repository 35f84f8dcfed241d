"""Template context of every page: navigation and organizations."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse

from connectors.version import VERSION
from console.accounts.active_organization import organization_root
from console.accounts.http import ConsoleRequest
from console.accounts.policy import ALLOWED, Action
from console.applications.models import Application
from console.health.problems import FixableOrganizations, count_stopped
from console.signing_in.demo_accounts import other_accounts

#: Other path prefixes that belong to a navigation item; ``*`` is the key of a row.
_OTHER_PREFIXES = {
    "/microservices/": ("/connections/",),
    "/clients/": ("/shares/", "/applications/*/share/", "/applications/*/listing/"),
    "/apps/": ("/applications/", "/components/", "/keys/", "/releases/", "/webhooks/"),
}


@dataclass(frozen=True, kw_only=True)
class NavigationItem:
    """One item of the navigation on the left."""

    label: str
    url: str
    icon: str
    current: bool
    count: int = 0


@dataclass(frozen=True, kw_only=True)
class OrganizationItem:
    """One of the person's organizations, above the navigation."""

    name: str
    url: str
    current: bool


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor for ``version``, ``organizations`` and ``navigation``.

    The navigation depends on the person's role in the active organization. If no organization
    is active, it combines the roles of all of them.
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

    items = [("Home", reverse("home"), "home")]
    if may(Action.MANAGE_CONNECTIONS):
        items += [
            ("Applications", reverse("application_list"), "apps"),
            ("Microservices", reverse("connection_list"), "plug"),
        ]
    if may(Action.MANAGE_CLIENTS) or (
        may(Action.DISTRIBUTE) and Application.objects.allowing(user, Action.DISTRIBUTE).exists()
    ):
        items.append(("Clients", reverse("client_list"), "building"))
    if may(Action.USE_INSTALLED):
        items.append(("Installed", reverse("installation_list"), "download"))
        items.append(("Health", reverse("health_list"), "heartbeat"))
    items.append(("Marketplace", reverse("marketplace"), "building-store"))
    if may(Action.READ_AUDIT) or user.is_superuser:
        items.append(("Activity", reverse("event_list"), "history"))
    if may(Action.MANAGE_PEOPLE):
        items.append(("People", reverse("person_list"), "users"))
    if may(Action.MANAGE_OAUTH_CLIENTS) or user.is_superuser:
        items.append(("OAuth clients", reverse("oauth_client_list"), "key"))
        items.append(("Administration", reverse("admin:index"), "settings"))
    current = _current(request.path, [url for _, url, _ in items])
    counts = {"Health": _count_stopped(request)} if may(Action.USE_INSTALLED) else {}
    return {
        "version": VERSION,
        "demo_accounts": other_accounts(user) if settings.DEMO_ACCOUNTS else [],
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
                current=url == current,
                count=counts.get(label, 0),
            )
            for label, url, icon in items
        ],
    }


def fixable_in(request: ConsoleRequest) -> FixableOrganizations:
    """Return where the person can reauthorize connections: in the active organization, if any."""
    active = request.organization

    def allowing(action: Action) -> list[uuid.UUID]:
        return [
            membership.organization_id
            for membership in request.memberships
            if membership.role in ALLOWED[action] and active in (None, membership.organization)
        ]

    return FixableOrganizations.where(allowing)


def _count_stopped(request: ConsoleRequest) -> int:
    return count_stopped(request.user, fixable_in(request))


def _current(path: str, urls: list[str]) -> str:
    """Return the URL of the item to which a page belongs, or ``""``: the longest prefix decides."""
    script = get_script_prefix()[:-1]
    path = path.removeprefix(script)
    found = [(0, "")]
    for url in urls:
        item = url.removeprefix(script)
        for prefix in (item, *_OTHER_PREFIXES.get(item, ())):
            if path == prefix or (prefix != "/" and fnmatchcase(path, f"{prefix}*")):
                found.append((len(prefix), url))
    return max(found)[1]
