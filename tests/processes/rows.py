"""Write and read the console's rows, in a process that does nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from tests.processes.sandbox_grants import CLIENT_ID, CLIENT_SECRET, Grant

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Row:
    """The state of a credential and of the authorization that uses it."""

    access_token: str
    version: int
    lease_owner: str
    attempt: int
    journalled: bool
    state: str


def begin(environment: Mapping[str, str]) -> None:
    """Set up Django at the start of a process."""
    os.environ.update(environment)
    import django

    django.setup()


def begin_patiently(environment: Mapping[str, str]) -> None:
    """Set up Django for many threads that share few database connections.

    The wait for a connection depends on the machine, not on the number of token requests. The
    low priority leaves time for the service and the database, which hundreds of callers would
    otherwise delay on a machine with few cores.
    """
    os.nice(10)
    begin(environment)
    from django.db import connection

    connection.settings_dict["OPTIONS"]["pool"]["timeout"] = 60


def begin_steward(environment: Mapping[str, str]) -> None:
    """Set up Django for a process that must survive an outage of the database."""
    begin(environment)
    from django.db import connection

    connection.settings_dict["OPTIONS"].pop("pool")


def answered(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function with a new database connection."""
    from django.db import connection

    try:
        return function(*arguments)
    finally:
        connection.close()


def fill() -> str:
    """Create an application without connections; return an API key."""
    from django.core.management import call_command

    from connections.models import OAuthClient
    from console.accounts.models import Membership, Organization, User
    from console.applications.models import Application
    from console.choices import Role
    from console.keys.issuing import create_key

    call_command("migrate", verbosity=0)
    organization = Organization.objects.create(name="Callers", slug="callers")
    user = User.objects.create_user("caller@callers.example")
    Membership.objects.create(user=user, organization=organization, role=Role.SUPER_ADMIN)
    application = Application.objects.create(
        organization=organization, name="Called", link_name="called"
    )
    OAuthClient.objects.create(
        connector_slug="sandbox", client_id=CLIENT_ID, client_secret=CLIENT_SECRET
    )
    return create_key(application, organization, "development", user, "Measured")[1]


def connect(grants: Sequence[Grant], link_name: str) -> list[str]:
    """Create a connection ``<link name>_<n>`` for each grant; return the credentials."""
    from django.db import transaction

    from connections.models import Authorization, Connection, Credential, OAuthClient
    from console.accounts.models import User
    from console.applications.models import Application

    application, user = Application.objects.get(), User.objects.get()
    client, made = OAuthClient.objects.get(), []
    oauth2 = {"connector_slug": "sandbox", "auth_type": "oauth2"}
    with transaction.atomic():
        for number, grant in enumerate(grants):
            connection = Connection.objects.create(
                application=application,
                name=f"{link_name.title()} {number}",
                link_name=f"{link_name}_{number}",
                status=Connection.Status.CREATED,
                scopes=["profile.read"],
                created_by=user,
                **oauth2,
            )
            credential = Credential.objects.create(
                organization=application.organization,
                client=client,
                label="alice@example.com",
                scopes_granted=["profile.read"],
                secret=grant._asdict(),
                **oauth2,
            )
            Authorization.objects.create(
                connection=connection,
                organization=application.organization,
                environment="all",
                authorized_by=user,
                scopes_asked=["profile.read"],
                credential=credential,
            )
            made.append(str(credential.pk))
    expire(made)
    return made


def expire(credentials: Sequence[str]) -> None:
    """Expire the access tokens."""
    from django.utils import timezone

    from connections.models import Credential

    now = timezone.now()
    Credential.objects.filter(pk__in=credentials).update(
        obtained_at=now - timedelta(hours=1), expires_at=now - timedelta(seconds=1)
    )


def break_access_tokens(credentials: Sequence[str]) -> None:
    """Make the service refuse access tokens that are valid for another hour."""
    from django.utils import timezone

    from connections.models import Credential

    for row in Credential.objects.filter(pk__in=credentials):
        row.secret = {**row.secret.reveal(), "access_token": "refused"}
        row.obtained_at = timezone.now()
        row.expires_at = timezone.now() + timedelta(hours=1)
        row.save()


def snapshot(credentials: Sequence[str]) -> dict[str, Row]:
    """Read the state of each credential."""
    from connections.models import Authorization

    found = Authorization.objects.filter(credential__in=credentials).select_related("credential")
    return {str(row.credential_id): _row(row) for row in found}


def _row(authorization) -> Row:
    credential = authorization.credential
    return Row(
        access_token=credential.secret.reveal()["access_token"],
        version=credential.version,
        lease_owner=credential.lease_owner,
        attempt=credential.attempt,
        journalled=credential.journal is not None,
        state=authorization.state,
    )
