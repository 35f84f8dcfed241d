"""A client uses an account again that it has authorized for another installed application."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from connections.authorizations import granting
from connections.models import Authorization, Credential, InstalledConnection
from connections.models.authorization_site import AuthorizationSite
from console.audit.actions import AuditAction
from console.audit.models import Event
from console.choices import Level, Role
from tests.connections.flow_steps import words_of


def reuse(browser, installed: InstalledConnection, credential: object):
    address = reverse("installed_reuse", args=[installed.pk])
    return browser.post(address, {"credential": str(credential)}, follow=True)


@pytest.fixture
def admin(signed_in, client_people):
    return signed_in(client_people[Role.ADMIN])


@pytest.fixture
def authorized(connect, install, grant, client_organization):
    """Install a connection that has an account, and return the account."""

    def make(user=None, organization=client_organization, **fields) -> Credential:
        level = Level.LOGGED_IN_USER if user else Level.ADMINISTRATOR
        installed = install(connect("sandbox_api_key"), organization, level=level)
        given = grant(installed.connection, "production", user, organization, **fields)
        return given.credential

    return make


@pytest.mark.parametrize("role", [Role.SUPER_ADMIN, Role.ADMIN, Role.DEVELOPER])
def test_it_works(
    signed_in, client_people, client_organization, connect, install, authorized, role
):
    credential, installed = authorized(), install(connect("sandbox_api_key", name="People"))
    browser = signed_in(client_people[role])
    page = browser.get(reverse("installed_authorize", args=[installed.pk]))
    assert "alice@example.com" in words_of(page)

    words = words_of(reuse(browser, installed, credential.pk))

    assert "People is authorized as alice@example.com." in words
    authorization = installed.connection.authorizations.get()
    assert authorization.credential == credential
    assert (authorization.environment, authorization.organization) == (
        "production",
        client_organization,
    )
    event = Event.objects.get(action=AuditAction.AUTHORIZATION_REUSED)
    assert event.organization_id == client_organization.pk


def test_it_never_offers_what_developers_authorized(
    admin, connect, install, grant, client_organization
):
    theirs = connect("sandbox_api_key")
    credential = grant(theirs).credential
    installed = install(connect("sandbox_api_key"))
    assert "can no longer be used" in words_of(reuse(admin, installed, credential.pk))
    assert not Authorization.objects.filter(environment="production").exists()


@pytest.mark.parametrize("environment", ["all", "development", "stage"])
def test_not_even_where_developers_install_their_own_application(
    developer, connect, install, grant, studio, developer_client, environment
):
    first, second = connect("sandbox_api_key"), connect("sandbox_api_key")
    home = grant(first, environment, label="developers@example.com").credential
    live = grant(first, "production", label="live@example.com").credential
    installed = install(second, studio)

    at_home, in_production = (
        AuthorizationSite.of_connection(second),
        AuthorizationSite.of_installed(installed),
    )
    assert granting.reusable_credentials(in_production, developer) == [live]
    assert granting.reusable_credentials(at_home, developer) == [home]

    reuse(developer_client, installed, home.pk)
    address = reverse("connection_reuse", args=[second.pk])
    developer_client.post(address, {"credential": str(live.pk)})
    assert not second.authorizations.exists()


def test_it_never_offers_the_account_of_another_organization(
    admin, connect, install, authorized, stranger_organization
):
    credential = authorized(organization=stranger_organization)
    installed = install(connect("sandbox_api_key"))
    assert "can no longer be used" in words_of(reuse(admin, installed, credential.pk))


def test_it_never_offers_the_account_of_another_person(
    signed_in, client_people, connect, install, authorized
):
    me = client_people[Role.USER]
    own, shared = authorized(me), authorized()
    others = authorized(client_people[Role.ADMIN])
    installed = install(connect("sandbox_api_key"), level=Level.LOGGED_IN_USER)
    assert granting.reusable_credentials(AuthorizationSite.of_installed(installed), me) == [own]
    for credential in (shared, others):
        reuse(signed_in(me), installed, credential.pk)
    assert not installed.connection.authorizations.exists()


def test_an_account_of_somebodys_own_does_not_serve_all(
    admin, client_people, connect, install, authorized
):
    own, installed = authorized(client_people[Role.ADMIN]), install(connect("sandbox_api_key"))
    reuse(admin, installed, own.pk)
    assert not installed.connection.authorizations.exists()


def test_an_account_is_offered_wherever_it_lives(
    admin, client_organization, connect, install, grant
):
    """A client chooses where its account lives, so it may choose one that it has."""
    place = {"scheme": "https", "host": "developers.example.com"}
    first, second = (install(connect("rabbitmq_management", parameters=place)) for _ in range(2))
    grant(
        first.connection,
        "production",
        organization=client_organization,
        parameters=place | {"host": "client.example.com"},
    )
    page = words_of(admin.get(reverse("installed_authorize", args=[second.pk])))
    assert "client.example.com" in page

    reuse(admin, second, Credential.objects.get().pk)

    credential = second.connection.authorizations.get().credential
    assert credential.parameters["host"] == "client.example.com"


def test_it_asks_for_the_permissions_of_what_is_installed(
    admin, client_organization, connect, install, grant, oauth_client
):
    first = install(connect(scopes=["contacts.read"]))
    grant(first.connection, "production", organization=client_organization)
    credential = Credential.objects.get()
    connection = connect(scopes=["contacts.read"])
    more = install(connection, scopes=("contacts.read", "orders.write"))
    reuse(admin, more, credential.pk)
    assert not connection.authorizations.exists()
    more.document["scopes"] = ["contacts.read"]
    more.save()
    connection.scopes = ["orders.write"]
    connection.save()
    reuse(admin, more, credential.pk)
    assert connection.authorizations.get().credential == credential


@pytest.mark.parametrize("chosen", ["", "x", "\0", str(uuid.UUID(int=0))])
def test_it_refuses_a_credential_that_it_did_not_offer(admin, connect, install, authorized, chosen):
    authorized()
    installed = install(connect("sandbox_api_key"))
    assert "can no longer be used" in words_of(reuse(admin, installed, chosen))
    assert not installed.connection.authorizations.exists()


def test_other_people_cannot_authorize_it(
    signed_in, client_people, connect, install, authorized, developer, stranger
):
    credential, installed = authorized(), install(connect("sandbox_api_key"))
    for person in (client_people[Role.USER], developer, stranger):
        assert reuse(signed_in(person), installed, credential.pk).status_code == 404
    assert not installed.connection.authorizations.exists()
