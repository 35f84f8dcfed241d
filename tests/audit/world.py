"""What there is before something is done, for the verbs of these tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import reverse

from connections.authorizations import granting
from connections.models.authorization_site import AuthorizationSite
from console.accounts.models import Organization, User
from console.applications.models import Application

CANARY = "canary-7d1f-never-to-be-seen"


@dataclass(kw_only=True)
class World:
    """What there is before something is done."""

    studio: Organization
    application: Application
    developer: User
    super_admin: User
    operator: User
    connect: Callable[..., Any]
    grant: Callable[..., Any]
    build: Callable[..., Any]
    browser: Callable[[User], Client]

    def connection(self):
        return self.connect("twilio", name="Messages")

    def store(self, connection):
        grant = granting.Grant(
            secret={"username": "u", "password": CANARY}, account=None, parameters={}
        )
        return granting.store_grant(
            AuthorizationSite.of_connection(connection), self.developer, ["all"], grant
        )

    def admin(self, page: str, *arguments: Any, **data: Any) -> Callable[[], Any]:
        """Send a form of Administration as the operator."""
        client = self.browser(self.operator)
        address = reverse(f"admin:{page}", args=arguments)
        return lambda: client.post(address, data)


Verb = Callable[[World], Callable[[], Any]]


def membership_forms(*rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    """Return what the inline of a person's page sends."""
    data: dict[str, Any] = {
        "memberships-TOTAL_FORMS": len(rows),
        "memberships-INITIAL_FORMS": initial,
    }
    for number, row in enumerate(rows):
        data |= {f"memberships-{number}-{name}": value for name, value in row.items()}
    return data
