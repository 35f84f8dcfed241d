"""A client chooses where its account is, and requests go nowhere else."""

from __future__ import annotations

import uuid

import pytest
import responses
from django.urls import reverse

from connections.authorizations.connection_state import installed_connection_states
from connections.calls.invoking import invoke
from connections.models import Authorization, Credential, Flow, InstalledConnection, OAuthClient
from console.choices import Role
from tests.connections.call_helpers import get
from tests.connections.flow_steps import begin, flow_at, state_of, words_of

QUEUE = {"parameter_scheme": "https", "username": "guest", "password": "open-sesame-1"}


@pytest.fixture(autouse=True)
def network():
    """Answer every request on this machine."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def admin(signed_in, client_people):
    return signed_in(client_people[Role.ADMIN])


@pytest.fixture
def come_back(admin):
    """Authorize at a service that sends a code and these fields."""

    def go(installed: InstalledConnection, form: dict[str, str], **query: str) -> Flow:
        state = state_of(begin(admin, installed, **form))
        reference = OAuthClient.objects.get().reference
        answer = {"code": "a-code", "state": state, **query}
        response = admin.get(reverse("oauth_callback", args=[reference]), answer)
        assert response.status_code == 303
        return flow_at(response["Location"])

    return go


def page(installed: InstalledConnection) -> str:
    return reverse("installed_authorize", args=[installed.pk])


def call(installed: InstalledConnection, path: str):
    state = installed_connection_states([installed], installed.organization_id, None)[installed.pk]
    return invoke(get(path), state)


def proposed(admin, installed: InstalledConnection) -> dict[str, str]:
    form = admin.get(page(installed)).context["form"]
    names = [name for name in form.fields if name.startswith("parameter_")]
    return {name: form.get_initial_for_field(form.fields[name], name) for name in names}


def test_a_client_says_in_which_data_center_its_account_lives(
    network, admin, come_back, connect, install
):
    OAuthClient.objects.create(connector_slug="zoho_crm", client_id="i", client_secret="s")
    connection = connect(
        "zoho_crm", scopes=["ZohoCRM.modules.leads.READ"], parameters={"data_center": "zoho.com"}
    )
    installed = install(connection)
    assert proposed(admin, installed) == {"parameter_data_center": "zoho.com"}
    address = begin(admin, installed, parameter_data_center="zoho.eu")
    assert address.startswith("https://accounts.zoho.eu/oauth/v2/auth?")
    network.post(
        "https://accounts.zoho.eu/oauth/v2/token",
        json={
            "access_token": "1000.at",
            "refresh_token": "1000.rt",
            "api_domain": "https://www.zohoapis.eu",
            "token_type": "Bearer",
            "expires_in": 3600,
        },
    )
    network.get(
        "https://www.zohoapis.eu/crm/v8/users",
        json={"users": [{"id": "7", "email": "alice@zoho.example"}]},
    )

    flow = come_back(installed, {"parameter_data_center": "zoho.eu"})

    assert flow.outcome == Flow.Outcome.COMPLETED, flow.problem
    assert Credential.objects.get().parameters == {"data_center": "zoho.eu"}
    assert proposed(admin, installed) == {"parameter_data_center": "zoho.eu"}
    words = words_of(admin.get(reverse("installed_connection", args=[installed.pk])))
    assert "Europe (zoho.eu)" in words
    network.get("https://www.zohoapis.eu/crm/v8/Leads", json={"data": []})
    assert call(installed, "/crm/v8/Leads").status == 200
    connection.refresh_from_db()
    assert connection.parameters == {"data_center": "zoho.com"}


@pytest.mark.parametrize("center", ["", "evil.example", "zoho.eu.evil.example"])
def test_it_refuses_a_data_center_that_there_is_not(admin, connect, install, center):
    OAuthClient.objects.create(connector_slug="zoho_crm", client_id="i", client_secret="s")
    installed = install(connect("zoho_crm", parameters={"data_center": "zoho.com"}))
    form = {"flow": uuid.uuid4(), "parameter_data_center": center}
    assert admin.post(page(installed), form).status_code == 422
    assert not Flow.objects.exists()


@pytest.fixture
def queue(connect, install) -> InstalledConnection:
    where = {"scheme": "https", "host": "developers.example.com"}
    return install(connect("rabbitmq_management", parameters=where))


def test_typed_credentials_go_to_the_clients_own_host_alone(network, admin, queue):
    network.get("https://client.example.com/api/whoami", json={"name": "guest"})
    network.get("https://client.example.com/api/queues", json=[])

    form = QUEUE | {"parameter_host": "client.example.com"}
    assert "is authorized as guest" in words_of(admin.post(page(queue), form, follow=True))

    assert call(queue, "/queues").status == 200
    assert Credential.objects.get().parameters["host"] == "client.example.com"
    assert proposed(admin, queue)["parameter_host"] == "client.example.com"
    assert {each.request.url.split("/")[2] for each in network.calls} == {"client.example.com"}


@pytest.mark.parametrize("host", ["", "a b", "evil.example/x", "user@evil.example", "nul\0"])
def test_it_refuses_what_is_no_host(network, admin, queue, host):
    assert admin.post(page(queue), QUEUE | {"parameter_host": host}).status_code == 422
    assert len(network.calls) == 0
    assert not Credential.objects.exists()


def test_an_update_to_other_settings_moves_no_credential(network, admin, queue):
    network.get("https://client.example.com/api/whoami", json={"name": "guest"})
    network.get("https://client.example.com/api/queues", json=[])
    admin.post(page(queue), QUEUE | {"parameter_host": "client.example.com"})
    queue.document["parameters"]["host"] = "evil.example.com"
    queue.save()
    assert call(queue, "/queues").status == 200
    assert proposed(admin, queue)["parameter_host"] == "client.example.com"
    assert {each.request.url.split("/")[2] for each in network.calls} == {"client.example.com"}


def test_another_service_under_the_same_name_gets_no_credential(network, admin, queue):
    network.get("https://client.example.com/api/whoami", json={"name": "guest"})
    admin.post(page(queue), QUEUE | {"parameter_host": "client.example.com"})
    queue.document |= {"connector": "sandbox_basic"}
    queue.save()
    exchange = call(queue, "/queues")
    assert "was authorized for other settings" in exchange.problem
    assert len(network.calls) == 1


# A host of the client's own that speaks OAuth 2


@pytest.fixture
def hub(connect, install) -> InstalledConnection:
    where = {"scheme": "https", "host": "hub.developers.example.com"}
    return install(connect("jupyterhub", scopes=["self"], parameters=where))


def register(organization, host: str) -> OAuthClient:
    return OAuthClient.objects.create(
        connector_slug="jupyterhub",
        client_id="service-console",
        client_secret="s",
        organization=organization,
        host=host,
    )


def test_a_hub_of_the_clients_own(network, come_back, admin, client_organization, hub):
    own = register(client_organization, "hub.client.example.com")
    network.post(
        "https://hub.client.example.com/hub/api/oauth2/token",
        json={"access_token": "at", "token_type": "Bearer"},
    )
    network.get("https://hub.client.example.com/hub/api/user", json={"name": "alice"})

    there = {"parameter_scheme": "https", "parameter_host": "hub.client.example.com"}
    flow = come_back(hub, there)

    assert (flow.outcome, flow.client) == (Flow.Outcome.COMPLETED, own)
    assert Authorization.objects.get().credential.parameters["host"] == "hub.client.example.com"
    assert proposed(admin, hub)["parameter_host"] == "hub.client.example.com"
    assert call(hub, "/user").status == 200


def test_where_the_hub_does_not_know_this_console_it_says_what_to_register(
    admin, client_organization, studio, hub
):
    register(studio, "hub.client.example.com")
    register(client_organization, "hub.other.example.com")
    there = {"parameter_scheme": "https", "parameter_host": "hub.client.example.com"}

    assert "Authorize" in words_of(admin.get(page(hub)))
    response = admin.post(page(hub), there | {"flow": uuid.uuid4()})

    assert response.status_code == 422
    assert not Flow.objects.exists()
    words = words_of(response)
    assert "not registered with JupyterHub at hub.client.example.com yet" in words
    # What the page says to register is what a client registered for that host has.
    assert register(client_organization, "hub.client.example.com").redirect_uri in words


def test_until_it_is_authorized_no_account_lives_anywhere(admin, queue):
    words = words_of(admin.get(reverse("installed_connection", args=[queue.pk])))
    assert "developers.example.com" not in words
