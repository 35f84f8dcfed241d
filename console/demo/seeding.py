"""The demo's organisations, people and application; run again, it changes nothing."""

from __future__ import annotations

import secrets
from pathlib import Path

from django.conf import settings
from django.db import transaction

from connections.models import OAuthClient
from console.accounts.models import Membership, Organization, User
from console.accounts.policy import Role
from console.transfer.importing import import_application

PEOPLE = {
    ("studio", "Studio"): {
        "superadmin@studio.example": Role.SUPER_ADMIN,
        "developer@studio.example": Role.DEVELOPER,
    },
    ("client", "Client"): {
        "superadmin@client.example": Role.SUPER_ADMIN,
        "admin@client.example": Role.ADMIN,
        "user@client.example": Role.USER,
    },
}
OPERATOR = "operator@console.example"
FIELD_SERVICE = Path(__file__).parent / "field_service.json"


@transaction.atomic
def seed(password: str) -> list[tuple[str, str]]:
    """Make what the demo needs and return its people: e-mail address and what each is."""
    people = []
    for (slug, name), members in PEOPLE.items():
        organization, _ = Organization.objects.get_or_create(slug=slug, defaults={"name": name})
        for email, role in members.items():
            user = _person(email, password)
            Membership.objects.get_or_create(
                user=user, organization=organization, defaults={"role": role}
            )
            people.append((email, f"{role.label} of {name}"))
    _person(OPERATOR, password, is_superuser=True)
    people.append((OPERATOR, "runs the deployment"))
    _field_service()
    return people


def _field_service() -> None:
    """Import the demo's application, unless it is there already."""
    studio = Organization.objects.get(slug="studio")
    if not studio.applications.filter(link_name="field_service").exists():
        creator = User.objects.get(email="superadmin@studio.example")
        import_application(FIELD_SERVICE.read_text(encoding="utf-8"), studio, creator)


def sandbox_client() -> OAuthClient:
    """Return this console as the sandbox service knows it; registered once."""
    client = OAuthClient.objects.filter(connector_slug="sandbox", organization=None).first()
    if client is None:
        client = OAuthClient.objects.create(
            connector_slug="sandbox",
            client_id="developer-console",
            client_secret=secrets.token_urlsafe(32),
        )
    return client


def _person(email: str, password: str, **fields: bool) -> User:
    user = User.objects.filter(email=email).first() or User(email=email, **fields)
    if not user.check_password(password):
        user.set_password(password)
        user.save()
    return user


def sandbox_redirect_uris(client: OAuthClient) -> list[str]:
    """Return where the sandbox may send people back to."""
    path = client.redirect_uri.removeprefix(settings.PUBLIC_URL)
    addresses = {settings.PUBLIC_URL, settings.PUBLIC_URL.replace("localhost", "127.0.0.1")}
    return sorted(address + path for address in addresses)
