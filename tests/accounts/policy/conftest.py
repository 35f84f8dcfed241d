"""One row of each kind, and browsers of all the people who visit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from connections.models import BulkRun, Flow, OAuthClient, PendingGrant
from console.accounts.models import Membership, Organization, User
from console.applications.models import Application, Right
from console.audit.models import Event
from console.choices import Level, Role
from console.distribution.models import Listing, Picture, Share
from console.inviting.models import Invitation
from console.keys.issuing import create_key
from console.publishing.manifest import ComponentSnapshot, Manifest
from console.publishing.models import Installation, Release, Stage
from console.saved_filters.models import SavedFilter
from console.transfer.exporting import export
from console.transfer.models import Upload
from console.webhooks import payloads
from console.webhooks.models import Webhook
from console.webhooks.signature import new_secret
from tests.accounts.policy.expectations import IDENTITIES


@pytest.fixture(autouse=True)
def no_limit_was_used_yet() -> None:
    cache.clear()


@pytest.fixture
def things(application, connect, grant, install, build, developer, super_admin) -> dict[str, Any]:
    """One row of each kind, all of the same organization."""
    client = OAuthClient.objects.create(connector_slug="sandbox", client_id="c", client_secret="s")
    connection = connect(name="Secret plan")
    webhook = Webhook.objects.create(
        organization=application.organization,
        application=application,
        url="https://10.0.0.1/secret_plan",  # nothing is sent there
        secret=new_secret(),
    )
    delivery = payloads.test_message(webhook)
    delivery.save()
    release = Release.objects.create(
        application=application, number=1, content=Manifest().text, created_by=developer
    )
    Stage.objects.create(application=application, release=release)
    component = build("Secret plan")
    grant(connection, "production", developer)
    shared = distributed(application, release)
    personal = connect(name="Personal", level=Level.LOGGED_IN_USER)
    return {
        "application": application,
        "component": component,
        "event": Event.objects.get(object_id=component.pk),
        "release": release,
        "upload": Upload.objects.create(
            user=super_admin,
            organization=application.organization,
            file_name="secret_plan.json",
            text=export(application),
        ),
        "connection": connection,
        "saved_filter": SavedFilter.objects.create(
            organization=application.organization,
            user=developer,
            path="/microservices/",
            name="Secret plan",
            query="q=secret",
        ),
        "bulk_run": BulkRun.objects.create(
            organization=application.organization, user=developer, action="enable"
        ),
        "draft": connect(name="A draft", status="draft", link_name=""),
        "authorization": grant(connection),
        "personal_connection": personal,
        "pending_grant": PendingGrant.objects.create(
            user=developer,
            connection=connection,
            organization=application.organization,
            environments=["all"],
            label="bob@example.com",
            replaces=["alice@example.com"],
            expires_at=timezone.now() + timedelta(minutes=10),
        ),
        "personal_authorization": grant(personal, user=super_admin),
        "installed_connection": install(
            connection, application.organization, level=Level.LOGGED_IN_USER
        ),
        **shared,
        "installation_key": create_key(
            shared["listed"], application.organization, "production", super_admin, "Secret plan"
        )[0],
        "api_key": create_key(
            application, application.organization, "development", developer, "Secret plan"
        )[0],
        # A host where no request can arrive.
        "oauth_client": OAuthClient.objects.create(
            connector_slug="jupyterhub",
            organization=application.organization,
            host="10.0.0.1",
            client_id="secret_plan",
        ),
        "member": developer.memberships.get(),
        "member_invitation": Invitation.objects.create(
            organization=application.organization,
            email="asked@studio.example",
            role=Role.DEVELOPER,
            token_hash="3" * 64,
            expires_at=timezone.now() + timedelta(days=15),
        ),
        "webhook": webhook,
        "delivery": delivery,
        "flow": Flow.objects.create(
            state_hash="0" * 64,
            browser_hash="1" * 64,
            user=developer,
            connection=connection,
            organization=application.organization,
            environments=["all"],
            client=client,
            redirect_uri=client.redirect_uri,
            expires_at=timezone.now() + timedelta(minutes=10),
        ),
    }


def distributed(application: Application, release: Release) -> dict[str, Any]:
    """Create a client of the organization, and make it a client of another one."""
    maker = Organization.objects.create(name="Maker", slug="maker")
    client = Organization.objects.create(name="Third", slug="third")
    theirs = Application.objects.create(organization=maker, name="Parts", link_name="parts")
    function = ComponentSnapshot(
        kind="function", name="Find", link_name="find_people", definition={}
    )
    content = Manifest(components={"find_people": function}).text
    first = Release.objects.create(
        application=theirs, number=1, content=content, created_by=release.created_by
    )
    written = {
        "title": "Parts",
        "summary": "All.",
        "description": "All.",
        "help_url": "https://x.y",
    }
    listing = Listing.objects.create(
        application=theirs, release=first, state=Listing.State.PUBLISHED, **written
    )
    draft = Listing.objects.create(application=application, release=release, **written)
    pixels = {"media_type": "image/png", "width": 64, "height": 64, "content": b"pixels"}
    share = {"release": first, "license": "subscription"}
    return {
        "client_invitation": Invitation.objects.create(
            organization=application.organization,
            email="asked@client.example",
            token_hash="2" * 64,
            expires_at=timezone.now() + timedelta(days=15),
        ),
        "share": Share.objects.create(
            application=application, client=client, **share | {"release": release}
        ),
        "offered": Share.objects.create(
            application=theirs, client=application.organization, **share
        ),
        "listed": theirs,
        "submitted": Listing.objects.create(
            application=theirs, release=first, state=Listing.State.SUBMITTED, **written
        ),
        "picture": Picture.objects.create(listing=listing, words="Parts", **pixels),
        "own_picture": Picture.objects.create(listing=draft, words="Plan", **pixels),
        "installation": Installation.objects.create(
            application=theirs, organization=application.organization, release=first
        ),
    }


@pytest.fixture
def come_as(
    things, developer, super_admin, studio, stranger_organization, operator, signed_in
) -> Callable[[str], Client]:
    """Return the browser of a person by the name of their identity."""
    known = {"own developer": developer, "own super_admin": super_admin, "operator": operator}

    def come(name: str) -> Client:
        identity = IDENTITIES[name]
        if identity.anonymous:
            return Client()
        if name not in known:
            known[name] = user = User.objects.create_user(
                f"{name.replace(' ', '-')}@test.example", "pass-word-1"
            )
            for place, role in identity.roles.items():
                organization = studio if place == "own" else stranger_organization
                Membership.objects.create(user=user, organization=organization, role=role)
            if identity.deactivated:
                Membership.objects.create(
                    user=user,
                    organization=studio,
                    role=Role.SUPER_ADMIN,
                    deactivated_at=timezone.now(),
                )
            if given := {Right.FIELDS[action]: True for action in identity.given}:
                Right.objects.create(application=things["application"], user=user, **given)
        return signed_in(known[name])

    return come
