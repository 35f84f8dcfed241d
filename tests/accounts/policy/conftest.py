"""One row of each kind, and the browsers of everybody who might come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from connections.models import Flow, OAuthClient
from console.accounts.models import Membership, User
from console.audit.models import Event
from console.keys.issuing import create_key
from console.publishing.manifest import Manifest
from console.publishing.models import Release, Stage
from console.transfer.exporting import export
from console.transfer.models import Upload
from console.webhooks import composing
from console.webhooks.models import Webhook
from console.webhooks.signing import new_secret
from tests.accounts.policy.expecting import IDENTITIES


@pytest.fixture(autouse=True)
def no_limit_was_used_yet() -> None:
    cache.clear()


@pytest.fixture
def things(application, connect, grant, build, developer, super_admin) -> dict[str, Any]:
    """One row of each kind, all of them of the same organisation."""
    client = OAuthClient.objects.create(connector_slug="sandbox", client_id="c", client_secret="s")
    connection = connect(name="Secret plan")
    webhook = Webhook.objects.create(
        organization=application.organization,
        application=application,
        url="https://10.0.0.1/secret_plan",  # where nothing is ever sent
        secret=new_secret(),
    )
    delivery = composing.test_message(webhook)
    delivery.save()
    release = Release.objects.create(
        application=application, number=1, content=Manifest().text, created_by=developer
    )
    Stage.objects.create(application=application, release=release)
    component = build("Secret plan")
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
        "draft": connect(name="A draft", status="draft", link_name=""),
        "authorization": grant(connection),
        "api_key": create_key(
            application, application.organization, "development", developer, "Secret plan"
        )[0],
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


@pytest.fixture
def come_as(
    things, developer, super_admin, studio, stranger_organization, operator, signed_in
) -> Callable[[str], Client]:
    """Return the browser of somebody."""
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
        return signed_in(known[name])

    return come
