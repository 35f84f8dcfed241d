"""A studio with something in Stage, and a client with people of every role."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from connections.models import (
    Authorization,
    Connection,
    Credential,
    InstalledConnection,
    OAuthClient,
)
from console.accounts.models import Organization, User
from console.applications.models import Right
from console.choices import Environment, Level, Role
from console.components import saving
from console.components.models import Component
from console.distribution import installing, sharing
from console.distribution.models import License, Listing, Share
from console.inviting.models import Invitation
from console.publishing import publishing
from console.publishing.models import Installation, Release


@pytest.fixture
def client_organization(client_organization, studio) -> Organization:
    """A client of the studio, which has accepted the invitation."""
    Invitation.objects.create(
        organization=studio,
        email="boss@client.example",
        token_hash="2" * 64,
        expires_at=timezone.now() + timedelta(days=15),
        accepted_at=timezone.now(),
        client=client_organization,
    )
    return client_organization


@pytest.fixture
def boss(member, client_organization) -> User:
    """The super admin of the client."""
    return member(client_organization, Role.SUPER_ADMIN, "boss@client.example")


@pytest.fixture
def admin(member, client_organization) -> User:
    return member(client_organization, Role.ADMIN, "admin@client.example")


@pytest.fixture
def person(member, client_organization) -> User:
    return member(client_organization, Role.USER, "person@client.example")


@pytest.fixture
def may_distribute(application, developer) -> Right:
    return Right.objects.create(application=application, user=developer, may_distribute=True)


@pytest.fixture
def crm(connect) -> Connection:
    """Authorized once for everyone."""
    return connect(name="CRM", link_name="crm")


@pytest.fixture
def mailbox(connect) -> Connection:
    """Each person authorizes it with their own account."""
    return connect(name="Mailbox", link_name="mailbox", level=Level.LOGGED_IN_USER)


@pytest.fixture
def publish(application, super_admin):
    """Publish all of Development to Stage."""

    def do(note: str = "") -> Release:
        ticked = list(application.components.values_list("link_name", flat=True))
        return publishing.publish(application, super_admin, ticked=ticked, note=note).release

    return do


@pytest.fixture
def first(crm, mailbox, build, publish) -> Release:
    """Release 1: a function that calls through both connections."""
    build("Find people", crm, mailbox)
    return publish()


@pytest.fixture
def change(super_admin):
    """Change the connections that the function calls."""

    def do(*connections: Connection) -> None:
        row = Component.objects.get(link_name="find_people")
        calls = [{"connection": c.link_name, "path": "/contacts"} for c in connections]
        row.definition = json.dumps({"calls": calls})
        saving.save(row, super_admin, version=row.version)

    return do


@pytest.fixture
def share(application, client_organization, first, super_admin, boss):
    """Share release 1 with the client."""

    def do(license: str = License.SUBSCRIPTION, **options: Any) -> Share:
        return sharing.share(
            application, client_organization, first, license, super_admin, **options
        )

    return do


@pytest.fixture
def installed(share, boss):
    """Install what was shared."""

    def do(license: str = License.SUBSCRIPTION, **options: Any) -> Installation:
        offer = installing.offer_from_share(share(license, **options))
        return installing.install(offer, boss, seen=str(offer.release.pk)).installation

    return do


@pytest.fixture
def listing(application, first) -> Listing:
    return Listing.objects.create(
        application=application,
        release=first,
        title="Field Service for all",
        summary="Find people to send.",
        description="It finds people.\n\nAnd parts.",
        help_url="https://studio.example/help",
        state=Listing.State.PUBLISHED,
    )


@pytest.fixture
def authorized(client_organization):
    """Authorize an installed connection."""

    def do(connection: Connection, by: User, *, own: bool = False, **fields: Any) -> Authorization:
        known = {"connector_slug": connection.connector_slug, "client_id": "c"}
        client = OAuthClient.objects.filter(**known).first() or OAuthClient.objects.create(
            **known, client_secret="s"
        )
        values = {
            "client": client,
            "auth_type": connection.auth_type,
            "label": f"account of {by.email}",
            "scopes_granted": list(connection.scopes_asked),
            "secret": {"access_token": "an-access-token", "refresh_token": "a-refresh-token"},
            "user": by if own else None,
        }
        credential = Credential.objects.create(
            organization=client_organization,
            connector_slug=connection.connector_slug,
            **(values | fields),
        )
        return Authorization.objects.create(
            connection=connection,
            organization=client_organization,
            environment=Environment.PRODUCTION,
            user=by if own else None,
            authorized_by=by,
            scopes_asked=list(connection.scopes_asked),
            credential=credential,
        )

    return do


@pytest.fixture
def rows_of(client_organization):
    """Return the installed connections by link name."""

    def read() -> dict[str, InstalledConnection]:
        rows = InstalledConnection.objects.filter(organization=client_organization)
        return {row.snapshot.link_name: row for row in rows}

    return read
