"""A client authorizes a connection of an installed application for Production."""

from __future__ import annotations

import uuid
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from connections.models import Authorization, Credential, Flow, InstalledConnection, OAuthClient
from console.audit.actions import AuditAction
from console.audit.models import Event
from console.choices import Level, Role
from tests.connections.conftest import CLIENT_ID, CLIENT_SECRET
from tests.connections.flow_steps import authorize, begin, decide, words_of

SHARING = [Role.SUPER_ADMIN, Role.ADMIN, Role.DEVELOPER]
TYPED = {
    "sandbox_basic": {"username": "alice", "password": "open-sesame-1"},
    "sandbox_api_key": {"key": "open-sesame-1"},
}
TWILIO = {"account_sid": "AC" + "0" * 32, "auth_token": "canary-token"}


def page(installed: InstalledConnection) -> str:
    return reverse("installed_authorize", args=[installed.pk])


@pytest.fixture
def admin(signed_in, client_people):
    return signed_in(client_people[Role.ADMIN])


# Typed credentials


@pytest.mark.parametrize("slug", TYPED)
def test_typed_credentials_are_tried_out_and_kept_for_production(
    admin, client_people, client_organization, connect, install, sandbox, slug
):
    installed = install(connect(slug, name="People"))

    response = admin.post(page(installed), TYPED[slug], follow=True)

    assert "People is authorized as alice@example.com" in words_of(response)
    assert response.request["PATH_INFO"] == reverse("installed_connection", args=[installed.pk])
    assert "open-sesame-1" not in response.content.decode()
    authorization = Authorization.objects.get()
    assert (authorization.environment, authorization.user) == ("production", None)
    assert authorization.authorized_by == client_people[Role.ADMIN]
    assert authorization.organization == client_organization
    assert authorization.credential.organization == client_organization
    assert authorization.credential.secret.reveal() == TYPED[slug]


def test_twilio_knows_the_account(network, admin, connect, install):
    network.get(
        f"https://api.twilio.com/2010-04-01/Accounts/{TWILIO['account_sid']}.json",
        json={"friendly_name": "Acme phones", "sid": TWILIO["account_sid"]},
    )
    response = admin.post(page(install(connect("twilio"))), TWILIO, follow=True)
    assert "is authorized as Acme phones" in words_of(response)
    assert Credential.objects.get().secret.reveal() == TWILIO


def test_wrong_credentials_change_nothing(admin, connect, install, sandbox):
    installed = install(connect("sandbox_api_key"))
    admin.post(page(installed), TYPED["sandbox_api_key"])
    before = Authorization.objects.values().get(), Credential.objects.values().get()

    response = admin.post(page(installed), {"key": "canary-wrong-secret"})

    assert response.status_code == 422
    assert "Nothing was changed" in words_of(response)
    assert "canary-wrong-secret" not in response.content.decode()
    assert (Authorization.objects.values().get(), Credential.objects.values().get()) == before


def test_it_is_recorded_only_in_the_audit_log_of_the_client(
    admin, client_people, client_organization, connect, install, sandbox
):
    before = Event.objects.exclude(organization_id=client_organization.pk).count()
    installed = install(connect("sandbox_api_key"))
    for _ in range(2):
        admin.post(page(installed), TYPED["sandbox_api_key"])

    told = Event.objects.filter(organization_id=client_organization.pk).order_by("number")
    assert list(told.values_list("action", flat=True))[-2:] == [
        AuditAction.AUTHORIZATION_GIVEN,
        AuditAction.AUTHORIZATION_REPLACED,
    ]
    event = told.last()
    assert event.details["environments"] == ["production"]
    assert event.actor_email == client_people[Role.ADMIN].email
    assert Event.objects.exclude(organization_id=client_organization.pk).count() == before


@pytest.mark.parametrize("environment", ["development", "stage", "all", "x"])
def test_no_other_environment_is_authorized(admin, connect, install, sandbox, environment):
    installed = install(connect("sandbox_api_key", separate_environments=True))
    form = TYPED["sandbox_api_key"] | {"environments": [environment]}
    admin.post(f"{page(installed)}?environment={environment}", form)
    assert Authorization.objects.get().environment == "production"


# OAuth 2


def test_the_complete_oauth_flow(
    admin, client_people, client_organization, connect, install, oauth_client, alice, sandbox
):
    installed = install(connect())

    flow = authorize(admin, installed, alice)

    assert flow.outcome == Flow.Outcome.COMPLETED
    assert (flow.organization, flow.environments) == (client_organization, ["production"])
    authorization = Authorization.objects.get()
    assert authorization.credential.label == "alice@example.com"
    assert authorization.credential.organization == client_organization
    words = words_of(admin.get(flow.get_absolute_url()))
    assert "Authorized as alice@example.com" in words
    address = reverse("installed_connection", args=[installed.pk])
    assert address in admin.get(flow.get_absolute_url()).content.decode()
    assert sandbox.counts()["token"] == 1


def test_it_asks_for_what_the_installed_release_asks_for(
    admin, connect, install, oauth_client, alice
):
    connection = connect(scopes=["orders.read"])
    installed = install(connection)
    connection.scopes = ["contacts.write", "orders.write"]
    connection.save()

    query = parse_qs(urlsplit(begin(admin, installed)).query)
    assert query["scope"] == ["profile.read orders.read"]
    authorize(admin, installed, alice)

    authorization = Authorization.objects.get()
    assert authorization.scopes_asked == ["profile.read", "orders.read"]
    assert authorization.missing_scopes == []


def test_reauthorizing_replaces_only_the_account_of_production(
    admin, developer_client, connect, install, oauth_client, alice, bob
):
    connection = connect()
    installed = install(connection)
    authorize(developer_client, connection, alice)
    authorize(admin, installed, alice)

    decide(admin, authorize(admin, installed, bob))

    labels = dict(Authorization.objects.values_list("environment", "credential__label"))
    assert labels == {"all": "alice@example.com", "production": "bob@example.com"}


# The OAuth client


def oauth_client_of(organization, **fields):
    fields = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET} | fields
    return OAuthClient.objects.create(connector_slug="sandbox", organization=organization, **fields)


def test_the_clients_own_registration_comes_before_the_deployments(
    admin, client_organization, studio, connect, install, oauth_client, alice
):
    own = oauth_client_of(client_organization)
    oauth_client_of(studio, client_id="of-the-studio")
    flow = authorize(admin, install(connect()), alice)
    assert flow.client == own
    assert flow.redirect_uri == "http://console.test/oauth/callback/client--sandbox/"
    assert flow.outcome == Flow.Outcome.COMPLETED


def test_the_registration_of_its_developers_never_serves_a_client(
    admin, studio, connect, install, sandbox
):
    oauth_client_of(studio)
    installed = install(connect())

    shown = admin.get(page(installed))
    answer = admin.post(page(installed), {"flow": uuid.uuid4()})

    for response in (shown, answer):
        assert "http://console.test/oauth/callback/client--sandbox/" in words_of(response)
        assert "A super admin of Client can register it." in words_of(response)
    assert answer.status_code == 422
    assert not Flow.objects.exists()


def test_a_registration_for_other_environments_does_not_serve_production(
    admin, client_organization, connect, install, sandbox
):
    oauth_client_of(client_organization, environment="stage")
    assert admin.post(page(install(connect())), {"flow": uuid.uuid4()}).status_code == 422


def test_only_a_super_admin_of_the_client_is_sent_to_register(
    signed_in, client_people, member, studio, connect, install, sandbox
):
    installed = install(connect())
    member_of_both = client_people[Role.DEVELOPER]
    member_of_both.memberships.create(organization=studio, role=Role.SUPER_ADMIN)
    here = f"/o/client{page(installed)}"
    words = words_of(signed_in(client_people[Role.SUPER_ADMIN]).get(here))
    assert "Register a client" in words
    assert "Register a client" not in words_of(signed_in(member_of_both).get(here))


# Who may


@pytest.mark.parametrize("role", SHARING)
def test_admins_of_the_client_authorize_it_once_for_everybody(
    signed_in, client_people, connect, install, sandbox, role
):
    installed = install(connect("sandbox_api_key"))
    browser = signed_in(client_people[role])
    assert browser.get(page(installed)).status_code == 200
    assert browser.post(page(installed), TYPED["sandbox_api_key"]).status_code == 303
    assert Authorization.objects.get().user is None


@pytest.mark.parametrize("role", Role.values)
def test_each_person_authorizes_their_own_account(
    signed_in, client_people, connect, install, sandbox, role
):
    installed = install(connect("sandbox_api_key"), level=Level.LOGGED_IN_USER)
    me = client_people[role]
    signed_in(me).post(page(installed), TYPED["sandbox_api_key"])
    authorization = Authorization.objects.get()
    assert (authorization.user, authorization.credential.user) == (me, me)


def test_other_people_cannot_authorize_it(
    signed_in, client_people, connect, install, sandbox, developer, super_admin, stranger, operator
):
    shared = install(connect("sandbox_api_key"))
    own = install(connect("sandbox_api_key"), level=Level.LOGGED_IN_USER)
    comers = [(client_people[Role.USER], shared)]
    for person in (developer, super_admin, stranger, operator):
        comers += [(person, shared), (person, own)]
    for person, installed in comers:
        browser = signed_in(person)
        assert browser.get(page(installed)).status_code == 404
        assert browser.post(page(installed), TYPED["sandbox_api_key"]).status_code == 404
    assert not Credential.objects.exists()


def test_the_home_page_does_not_authorize_for_production(
    admin, developer_client, connect, install, sandbox
):
    connection = connect("sandbox_api_key")
    install(connection)
    home = reverse("connection_authorize", args=[connection.pk])
    assert admin.post(home, TYPED["sandbox_api_key"]).status_code == 404
    form = TYPED["sandbox_api_key"] | {"environments": ["production"]}
    developer_client.post(home, form)
    assert list(Authorization.objects.values_list("environment", flat=True)) == ["all"]


def test_it_needs_a_license(admin, connect, install, sandbox):
    installed = install(connect("sandbox_api_key"), ends_at=timezone.now() - timedelta(seconds=1))
    assert admin.get(page(installed)).status_code == 404
    assert admin.post(page(installed), TYPED["sandbox_api_key"]).status_code == 404
    assert not Credential.objects.exists()


def test_the_number_of_queries_does_not_grow(
    admin, client_organization, connect, install, grant, oauth_client
):
    installed = install(connect())
    grant(installed.connection, "production", organization=client_organization)

    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            assert admin.get(page(installed)).status_code == 200
        return len(captured)

    few = queries()
    for _ in range(10):
        other = install(connect())
        grant(other.connection, "production", organization=client_organization)
    assert queries() == few
