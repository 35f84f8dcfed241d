"""Template context of every page: navigation and organizations."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse
from django.utils.functional import SimpleLazyObject

from connectors.version import VERSION
from console.accounts.active_organization import active_roles, organization_root
from console.accounts.http import ConsoleRequest
from console.accounts.policy import ALLOWED, Action
from console.applications.models import Application
from console.health.problems import count_stopped
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

    They are made when a template uses them: parts of a page have no navigation.
    """
    if not hasattr(request, "memberships") or not request.user.is_authenticated:
        return {}
    request = cast(ConsoleRequest, request)
    return {
        "version": VERSION,
        "demo_accounts": other_accounts(request.user) if settings.DEMO_ACCOUNTS else [],
        "organizations": SimpleLazyObject(partial(_organizations, request)),
        "navigation": SimpleLazyObject(partial(_navigation, request)),
    }


def _organizations(request: ConsoleRequest) -> list[OrganizationItem]:
    return [
        OrganizationItem(
            name=membership.organization.name,
            url=organization_root(request, membership.organization),
            current=membership.organization == request.organization,
        )
        for membership in request.memberships
    ]


def _navigation(request: ConsoleRequest) -> list[NavigationItem]:
    """Return what the person's roles in the active organization allow.

    If no organization is active, the roles in all of them are combined.
    """
    user, roles = request.user, active_roles(request)

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
    counts = {"Health": count_stopped(user)} if may(Action.USE_INSTALLED) else {}
    return [
        NavigationItem(
            label=label, url=url, icon=icon, current=url == current, count=counts.get(label, 0)
        )
        for label, url, icon in items
    ]


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
