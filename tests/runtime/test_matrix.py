"""Every key on every route: each has access only to its own application and environment."""

from __future__ import annotations

import pytest
from django.test import Client

from connections.models import Authorization, Connection, Credential
from console.accounts.models import Membership, Organization, User
from console.applications.models import Application
from console.choices import Role
from console.components import saving
from console.components.models import Component
from console.distribution import installing
from console.keys.issuing import create_key
from console.keys.user_tokens import token_for
from console.publishing import publishing
from console.publishing.models import Installation

#: Each of two organizations builds two applications, and is a client of the other one; a third
#: one has installed all of them.
MAKERS = {"studio": "elsewhere", "elsewhere": "studio"}
LINK_NAMES = ("field", "depot")
#: Who builds, application, organization, environment: every place of the world.
PLACES = [
    (maker, link_name, *where)
    for maker, client in MAKERS.items()
    for link_name in LINK_NAMES
    for where in (
        (maker, "development"),
        (maker, "stage"),
        (client, "production"),
        ("third", "production"),
    )
]
ROUTES = ("connections/", "connections/shared/", "functions/find/run")


@pytest.fixture
def head(db) -> User:
    """A super admin of every organization, so that only the key separates them."""
    return User.objects.create_user("head@test.example", "pass-word-1")


@pytest.fixture
def world(db, studio, stranger_organization, head, network):
    """Four applications whose parts have the same names; each account names its place."""
    network.get("http://localhost:9000/api/contacts", json={"ok": True})
    Organization.objects.create(name="Third", slug="third")
    organizations = {each.slug: each for each in Organization.objects.all()}
    for organization in organizations.values():
        Membership.objects.create(user=head, organization=organization, role=Role.SUPER_ADMIN)
    applications = {
        (maker, link_name): _built(organizations[maker], link_name, head)
        for maker in MAKERS
        for link_name in LINK_NAMES
    }
    keys = {}
    for place in PLACES:
        application, organization = applications[place[:2]], organizations[place[2]]
        if place[3] == "production":
            installation = Installation.objects.create(
                application=application,
                organization=organization,
                release=application.releases.get(),
            )
            installing.write_connections(installation, [])
        _authorize(application.connections.get(), organization, place)
        keys[place] = create_key(application, organization, place[3], head, "A program")[1]
    return keys, applications, organizations


def _built(organization: Organization, link_name: str, head: User) -> Application:
    application = Application.objects.create(
        organization=organization, name=link_name, link_name=link_name
    )
    Connection.objects.create(
        application=application,
        connector_slug="sandbox",
        auth_type="oauth2",
        name="Shared",
        link_name="shared",
        status="created",
        separate_environments=True,
        created_by=head,
    )
    definition = '{"calls": [{"connection": "shared", "path": "/contacts"}]}'
    function = Component(
        application=application, kind="function", name="Find", definition=definition
    )
    saving.create(function, head)
    publishing.publish(application, head, ticked=["find"])
    return application


def _authorize(connection: Connection, organization: Organization, place: tuple[str, ...]) -> None:
    name = "-".join(place)
    credential = Credential.objects.create(
        organization=organization,
        connector_slug="sandbox",
        auth_type="oauth2",
        label=name,
        scopes_granted=list(connection.scopes_asked),
        secret={"access_token": f"token-of-{name}"},
    )
    Authorization.objects.create(
        connection=connection,
        organization=organization,
        environment=place[3],
        credential=credential,
    )


@pytest.mark.parametrize("route", ROUTES)
def test_a_key_reaches_its_own_place_alone(world, network, route):
    for place, key in world[0].items():
        headers = {"Authorization": f"Bearer {key}"}
        if route.startswith("functions"):
            network.calls.reset()
            Client().post(f"/api/v1/{route}", {}, content_type="application/json", headers=headers)
            used = [call.request.headers["Authorization"] for call in network.calls]
            assert used == [f"Bearer token-of-{'-'.join(place)}"]
            continue
        told = Client().get(f"/api/v1/{route}", headers=headers).json()
        told = told.get("connections", [told])
        assert [(each["account"], each["environment"]) for each in told] == [
            ("-".join(place), place[3])
        ]


def test_a_token_counts_with_the_key_of_its_place_alone(world, head):
    keys, applications, organizations = world
    tokens = {
        place: token_for(head, applications[place[:2]], organizations[place[2]], place[3])
        for place in PLACES
    }
    for place, key in keys.items():
        for other, token in tokens.items():
            headers = {"Authorization": f"Bearer {key}", "Console-User": token}
            response = Client().get("/api/v1/connections/", headers=headers)
            assert response.status_code == (200 if place == other else 401), (place, other)


@pytest.mark.parametrize("query", ["environment=stage", "organization=elsewhere", "user=x"])
@pytest.mark.parametrize("header", ["X-Environment", "Console-Organization"])
def test_nothing_else_moves_a_key(world, query, header):
    keys, *_ = world
    headers = {"Authorization": f"Bearer {keys[PLACES[0]]}", header: "stage"}
    response = Client().get(f"/api/v1/connections/shared/?{query}", headers=headers)
    assert response.json()["account"] == "-".join(PLACES[0])
