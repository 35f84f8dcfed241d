"""Create the organizations, people and application of the demo.

Seeding a second time changes nothing.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import make_password
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
    """Create what the demo needs; return its people as pairs of e-mail address and role."""
    people = []
    # Everyone has the same password, so one slow hash is enough.
    hashed_password = _current_hash(password) or make_password(password)
    for (slug, name), members in PEOPLE.items():
        organization, _ = Organization.objects.get_or_create(slug=slug, defaults={"name": name})
        for email, role in members.items():
            user = _person(email, hashed_password)
            Membership.objects.get_or_create(
                user=user, organization=organization, defaults={"role": role}
            )
            people.append((email, f"{role.label} of {name}"))
    _person(OPERATOR, hashed_password, is_superuser=True)
    people.append((OPERATOR, "runs the deployment"))
    _field_service()
    _client()
    return people


def _field_service() -> None:
    """Import the demo's application and let its developer publish it, where that is missing."""
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
    """Make Client a client of Studio with an accepted invitation. Nothing is shared yet."""
    accepted = {
        "organization": Organization.objects.get(slug="studio"),
        "client": Organization.objects.get(slug="client"),
    }
    if not Invitation.objects.filter(**accepted).exists():
        super_admin = User.objects.get(email="superadmin@client.example")
        Invitation.objects.create(
            **accepted,
            email=super_admin.email,
            # The hash of no token, so that the invitation cannot be accepted again.
            token_hash=secrets.token_hex(32),
            expires_at=timezone.now(),
            accepted_at=timezone.now(),
            accepted_by=super_admin,
        )


def sandbox_client() -> OAuthClient:
    """Return the OAuth client of this console at the sandbox service; create it once."""
    client = OAuthClient.objects.filter(connector_slug="sandbox", organization=None).first()
    if client is None:
        client = OAuthClient.objects.create(
            connector_slug="sandbox",
            client_id="developer-console",
            client_secret=secrets.token_urlsafe(32),
        )
    return client


def _current_hash(password: str) -> str:
    """Return the stored hash of this password, or an empty string if it has changed."""
    user = User.objects.filter(email=OPERATOR).first()
    return user.password if user and user.check_password(password) else ""


def _person(email: str, hashed_password: str, **fields: bool) -> User:
    user = User.objects.filter(email=email).first() or User.objects.create_user(
        email, None, **fields
    )
    if user.password != hashed_password:
        user.password = hashed_password
        user.save()
    return user


def sandbox_redirect_uris(client: OAuthClient) -> list[str]:
    """Return the redirect URIs to register at the sandbox service."""
    path = client.redirect_uri.removeprefix(settings.PUBLIC_URL)
    hosts = {settings.PUBLIC_URL, settings.PUBLIC_URL.replace("localhost", "127.0.0.1")}
    return sorted(host + path for host in hosts)
