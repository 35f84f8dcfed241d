"""Rows for the benchmarks: connections in every state, in two organizations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from connections.models import Authorization, Connection, Credential, OAuthClient
from connectors.definitions.registry import get_connectors
from connectors.definitions.schema import Connector
from console.accounts.models import Membership, Organization, User
from console.applications.models import Application
from console.choices import Level, Role

APPLICATIONS = 10
COLLEAGUES = 2
#: The measured organization has this many times as many connections as the other one.
NEIGHBOURS = 5
#: Its drafts are the wizard's; it has OAuth 2, parameters and a long tree of permissions.
MEASURED = "zoho_crm"
BATCH = 500


@dataclass(frozen=True, kw_only=True)
class House:
    """An organization with its people and applications."""

    organization: Organization
    people: list[User]
    applications: list[Application]


def fill(population: int) -> User:
    """Create connections for one organization, and some for another; return a developer."""
    studio, elsewhere = _house("studio"), _house("elsewhere")
    OAuthClient.objects.create(
        connector_slug=MEASURED, client_id="measured", client_secret="measured"
    )
    owned = [
        (house, _connection(house, i), i)
        for i in range(population)
        for house in ([studio] if i % NEIGHBOURS else [studio, elsewhere])
    ]
    Connection.objects.bulk_create([row for _, row, _ in owned], batch_size=BATCH)
    authorizations = [authorization for place in owned for authorization in _authorizations(*place)]
    credentials = [a.credential for a in authorizations if a.credential]
    Credential.objects.bulk_create(credentials, batch_size=BATCH)
    Authorization.objects.bulk_create(authorizations, batch_size=BATCH)
    return studio.people[0]


def _house(slug: str) -> House:
    organization = Organization.objects.create(name=slug.title(), slug=slug)
    people = [
        User.objects.create_user(f"person-{number}@{slug}.example")
        for number in range(1 + COLLEAGUES)
    ]
    Membership.objects.bulk_create(
        Membership(user=person, organization=organization, role=Role.DEVELOPER) for person in people
    )
    applications = [
        Application.objects.create(
            organization=organization, name=f"Application {number}", link_name=f"app_{number}"
        )
        for number in range(APPLICATIONS)
    ]
    return House(organization=organization, people=people, applications=applications)


def _connection(house: House, i: int) -> Connection:
    if i % 100 == 9:
        return _draft(house, i // 100)
    connectors = list(get_connectors().values())
    connector = connectors[i % len(connectors)]
    return Connection(
        application=house.applications[i % APPLICATIONS],
        connector_slug=connector.slug,
        auth_type=connector.auth_types[0],
        name=f"{connector.name} Connection {i}",
        link_name=f"{connector.slug}_connection_{i}",
        level=Level.LOGGED_IN_USER if i % 10 == 5 else Level.ADMINISTRATOR,
        scopes=_scopes(connector),
        separate_environments=i % 10 in (1, 2),
        parameters={p.name: p.default for p in connector.parameters if p.default},
        status=Connection.Status.CREATED,
        created_by=house.people[i % len(house.people)],
    )


def _draft(house: House, number: int) -> Connection:
    """Return the n-th draft; a person has one for each application and connector."""
    connectors = [c for slug, c in get_connectors().items() if slug != MEASURED]
    connector = connectors[number // APPLICATIONS % len(connectors)]
    return Connection(
        application=house.applications[number % APPLICATIONS],
        connector_slug=connector.slug,
        auth_type=connector.auth_types[0],
        name=f"{connector.name} Connection",
        created_by=house.people[number // (APPLICATIONS * len(connectors))],
    )


def _authorizations(house: House, connection: Connection, i: int) -> Iterator[Authorization]:
    """Yield no, one, one for each environment, or one for each person."""
    kind = i % 10
    if connection.is_draft or kind == 0:
        return
    if kind == 5:
        for person in house.people:
            yield _authorization(house, connection, "all", person)
    elif kind in (1, 2):
        yield _authorization(house, connection, "development")
        if kind == 1:
            yield _authorization(house, connection, "stage")
    elif kind == 3:
        revoked = _authorization(house, connection, "all")
        revoked.state, revoked.credential = Authorization.State.REVOKED, None
        yield revoked
    else:
        given = _authorization(house, connection, "all")
        if kind == 4:
            given.credential.ends_at = timezone.now() - timedelta(days=1)
        yield given


def _authorization(
    house: House, connection: Connection, environment: str, user: User | None = None
) -> Authorization:
    credential = Credential(
        organization=house.organization,
        connector_slug=connection.connector_slug,
        auth_type=connection.auth_type,
        user=user,
        parameters=connection.parameters,
        label=f"account of {connection.name}",
        account_id=connection.link_name,
        scopes_granted=list(connection.scopes_asked),
        secret={"access_token": "a" * 70, "refresh_token": "r" * 70},
        expires_at=timezone.now() + timedelta(hours=1),
    )
    return Authorization(
        connection=connection,
        organization=house.organization,
        environment=environment,
        user=user,
        authorized_by=house.people[0],
        scopes_asked=list(connection.scopes_asked),
        credential=credential,
    )


def _scopes(connector: Connector) -> list[str]:
    return list(connector.oauth2.all_actions)[:6] if connector.oauth2 else []
