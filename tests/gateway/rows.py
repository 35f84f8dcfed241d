"""The rows of a console behind nginx, written in a process of their own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ConnectionRow:
    """A connection to create, with its credential."""

    connector: str
    secret: Mapping[str, str] = field(repr=False)
    auth_type: str = "api_key"
    #: Seconds until the access token ends; ``None`` if it does not.
    ends_in: int | None = None
    per_person: bool = False


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What programs show: API keys, and the token of a person."""

    key: str
    second: str
    stage: str
    user_token: str


def fill(environment: Mapping[str, str], rows: Mapping[str, ConnectionRow]) -> Keys:
    """Create an application with these connections, by link name."""
    os.environ.update(environment)
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from connections.models import Authorization, Connection, Credential, OAuthClient
    from console.accounts.models import Membership, Organization, User
    from console.applications.models import Application
    from console.choices import Level, Role
    from console.keys.issuing import create_key
    from console.keys.user_tokens import token_for

    call_command("migrate", verbosity=0)
    organization = Organization.objects.create(name="Callers", slug="callers")
    user = User.objects.create_user("caller@callers.example")
    Membership.objects.create(user=user, organization=organization, role=Role.SUPER_ADMIN)
    application = Application.objects.create(
        organization=organization, name="Called", link_name="called"
    )
    for link_name, row in rows.items():
        fields: dict[str, Any] = {"connector_slug": row.connector, "auth_type": row.auth_type}
        connection = Connection.objects.create(
            application=application,
            name=link_name.title(),
            link_name=link_name,
            status=Connection.Status.CREATED,
            level=Level.LOGGED_IN_USER if row.per_person else Level.ADMINISTRATOR,
            created_by=user,
            **fields,
        )
        client = None
        if row.auth_type == "oauth2":
            client, _ = OAuthClient.objects.get_or_create(
                connector_slug=row.connector,
                defaults={"client_id": "client", "client_secret": "canary-client-secret"},
            )
        credential = Credential.objects.create(
            organization=organization,
            label=link_name,
            secret=dict(row.secret),
            client=client,
            expires_at=timezone.now() + timedelta(seconds=row.ends_in) if row.ends_in else None,
            **fields,
        )
        Authorization.objects.create(
            connection=connection,
            organization=organization,
            environment="all",
            user=user if row.per_person else None,
            authorized_by=user,
            credential=credential,
        )
    made = [
        create_key(application, organization, environment, user, f"Key {number}")[1]
        for number, environment in enumerate(["development", "development", "stage"])
    ]
    token = token_for(user, application, organization, "development")
    return Keys(key=made[0], second=made[1], stage=made[2], user_token=token)
