"""The demo's organizations, people and application; run again, it changes nothing."""

from __future__ import annotations

import secrets
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from connections.models import OAuthClient
from console.accounts.models import Membership, Organization, User
from console.applications.models import Right
from console.choices import Role
from console.inviting.models import Invitation
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
    _client()
    return people


def _field_service() -> None:
    """Import the demo's application, and let its developer publish it; once each."""
    studio = Organization.objects.get(slug="studio")
    if not studio.applications.filter(link_name="field_service").exists():
        creator = User.objects.get(email="superadmin@studio.example")
        import_application(FIELD_SERVICE.read_text(encoding="utf-8"), studio, creator)
    Right.objects.get_or_create(
        application=studio.applications.get(link_name="field_service"),
        user=User.objects.get(email="developer@studio.example"),
        defaults={"may_publish": True},
    )


def _client() -> None:
    """Let Client be a client of Studio, as if it had accepted; what is shared is up to people."""
    accepted = {
        "organization": Organization.objects.get(slug="studio"),
        "client": Organization.objects.get(slug="client"),
    }
    if not Invitation.objects.filter(**accepted).exists():
        boss = User.objects.get(email="superadmin@client.example")
        Invitation.objects.create(
            **accepted,
            email=boss.email,
            # It leads nowhere: nobody knows a token with this hash.
            token_hash=secrets.token_hex(32),
            expires_at=timezone.now(),
            accepted_at=timezone.now(),
            accepted_by=boss,
        )


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
    user = User.objects.filter(email=email).first()
    if user is None:
        return User.objects.create_user(email, password, **fields)
    if not user.check_password(password):
        user.set_password(password)
        user.save()
    return user


def sandbox_redirect_uris(client: OAuthClient) -> list[str]:
    """Return where the sandbox may send people back to."""
    path = client.redirect_uri.removeprefix(settings.PUBLIC_URL)
    addresses = {settings.PUBLIC_URL, settings.PUBLIC_URL.replace("localhost", "127.0.0.1")}
    return sorted(address + path for address in addresses)
