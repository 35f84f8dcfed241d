"""Keys of every place against every route: each opens its own application there, and no other."""

from __future__ import annotations

import itertools

import pytest
from django.test import Client

from connections import referencing
from connections.models import Authorization, Connection, Credential
from console.accounts.models import Membership
from console.accounts.policy import Role
from console.applications.models import Application, Component
from console.keys.issuing import create_key
from console.keys.tokens import token_for
from console.publishing import publishing

#: Organisation, application, environment: every place of the world.
PLACES = list(
    itertools.product(("studio", "elsewhere"), ("field", "depot"), ("development", "stage"))
)
ROUTES = ("connections/", "connections/shared/", "functions/find/run")


@pytest.fixture
def world(db, studio, stranger_organization, developer, stranger, network):
    """Four applications whose parts have the same names; each account names its place."""
    network.get("http://localhost:9000/api/contacts", json={"ok": True})
    keys, applications = {}, {}
    Membership.objects.create(user=stranger, organization=studio, role=Role.USER)
    for organization, person in ((studio, developer), (stranger_organization, stranger)):
        for link_name in ("field", "depot"):
            application = Application.objects.create(
                organization=organization, name=link_name, link_name=link_name
            )
            applications[organization.slug, link_name] = application
            connection = Connection.objects.create(
                application=application,
                connector_slug="sandbox",
                auth_type="oauth2",
                name="Shared",
                link_name="shared",
                status="created",
                separate_environments=True,
                created_by=person,
            )
            definition = '{"calls": [{"connection": "shared", "path": "/contacts"}]}'
            referencing.create(
                Component(
                    application=application, kind="function", name="Find", definition=definition
                ),
                person,
            )
            publishing.publish(application, person, ticked=["find"])
            for environment in ("development", "stage"):
                place = (organization.slug, link_name, environment)
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
                    environment=environment,
                    credential=credential,
                )
                keys[place] = create_key(
                    application, organization, environment, person, "A program"
                )[1]
    return keys, applications


@pytest.mark.parametrize("place", PLACES, ids="-".join)
@pytest.mark.parametrize("route", ROUTES)
def test_a_key_reaches_its_own_place_alone(world, network, place, route):
    keys, _ = world
    headers = {"Authorization": f"Bearer {keys[place]}"}
    if route.startswith("functions"):
        response = Client().post(
            f"/api/v1/{route}", {}, content_type="application/json", headers=headers
        )
        used = [call.request.headers["Authorization"] for call in network.calls]
        assert used == [f"Bearer token-of-{'-'.join(place)}"]
        return
    response = Client().get(f"/api/v1/{route}", headers=headers)
    told = response.json()
    told = told.get("connections", [told])
    assert [(each["account"], each["environment"]) for each in told] == [
        ("-".join(place), place[2])
    ]


@pytest.mark.parametrize(("key", "token"), list(itertools.product(PLACES, PLACES)))
def test_a_token_counts_with_the_key_of_its_place_alone(world, stranger, studio, key, token):
    keys, applications = world
    application = applications[token[:2]]
    signed = token_for(stranger, application, application.organization, token[2])
    headers = {"Authorization": f"Bearer {keys[key]}", "Console-User": signed}
    response = Client().get("/api/v1/connections/", headers=headers)
    assert response.status_code == (200 if key == token else 401)


@pytest.mark.parametrize("query", ["environment=stage", "organization=elsewhere", "user=x"])
@pytest.mark.parametrize("header", ["X-Environment", "Console-Organization"])
def test_nothing_else_moves_a_key(world, query, header):
    keys, _ = world
    headers = {"Authorization": f"Bearer {keys[PLACES[0]]}", header: "stage"}
    response = Client().get(f"/api/v1/connections/shared/?{query}", headers=headers)
    assert response.json()["account"] == "-".join(PLACES[0])
