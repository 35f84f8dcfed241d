from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.models import Credential, OAuthClient
from console.choices import Role

LIST = reverse("admin:connections_oauthclient_changelist")
ADD = reverse("admin:connections_oauthclient_add")


def change(client: OAuthClient) -> str:
    return reverse("admin:connections_oauthclient_change", args=[client.pk])


@pytest.fixture
def form(studio):
    def make(**changed):
        return {
            "connector_slug": "slack",
            "organization": str(studio.pk),
            "environment": "",
            "host": "",
            "client_id": "1.2",
            "new_client_secret": "canary-secret",
        } | changed

    return make


@pytest.fixture
def client_of():
    def make(organization) -> OAuthClient:
        return OAuthClient.objects.create(
            connector_slug="slack",
            organization=organization,
            client_id="kept",
            client_secret="canary-secret",
        )

    return make


def test_it_works(signed_in, super_admin, studio, form):
    browser = signed_in(super_admin)
    assert browser.get(ADD).status_code == 200
    assert browser.post(ADD, form()).status_code == 302

    client = OAuthClient.objects.get()
    assert client.organization == studio
    assert client.client_secret.reveal() == "canary-secret"
    page = browser.get(change(client)).content.decode()
    assert "http://console.test/oauth/callback/studio--slack/" in page
    assert "canary-secret" not in page


def test_an_empty_field_keeps_the_secret(signed_in, super_admin, studio, client_of, form):
    client = client_of(studio)
    signed_in(super_admin).post(change(client), form(client_id="new", new_client_secret=""))
    client = OAuthClient.objects.get()
    assert (client.client_id, client.client_secret.reveal()) == ("new", "canary-secret")


def test_a_new_secret_replaces_the_stored_one(signed_in, super_admin, studio, client_of, form):
    client = client_of(studio)
    signed_in(super_admin).post(change(client), form(new_client_secret="another"))
    assert OAuthClient.objects.get().client_secret.reveal() == "another"


def test_surrounding_whitespace_is_removed(signed_in, super_admin, form):
    pasted = form(client_id="\ufeff 1.2\u200b\n", new_client_secret="\u00a0canary-secret\r\n")
    assert signed_in(super_admin).post(ADD, pasted).status_code == 302
    client = OAuthClient.objects.get()
    assert (client.client_id, client.client_secret.reveal()) == ("1.2", "canary-secret")


def test_a_secret_may_be_a_token_of_8192_characters(signed_in, super_admin, form):
    long = "e" * 8_192
    assert signed_in(super_admin).post(ADD, form(new_client_secret=long)).status_code == 302
    assert OAuthClient.objects.get().client_secret.reveal() == long


@pytest.mark.parametrize("wrong", ["canary\nsecret", "canary\u2013secret", "••••cret"])
@pytest.mark.parametrize("box", ["client_id", "new_client_secret"])
def test_invalid_values_are_rejected_and_not_shown(signed_in, super_admin, form, box, wrong):
    response = signed_in(super_admin).post(ADD, form(**{box: wrong}))
    assert response.status_code == 200
    assert response.context["adminform"].errors.keys() == {box}
    assert not OAuthClient.objects.exists()


def test_saving_resumes_renewal_of_its_connections(
    signed_in, super_admin, studio, connect, grant, client_of, form
):
    own, other = client_of(studio), client_of(None)
    refused = {
        "client_refused": True,
        "renewal_problem": "Slack does not accept this console's OAuth client.",
        "retry_at": timezone.now() + timedelta(minutes=15),
    }
    for client in (own, other):
        grant(connect("slack"), client=client, **refused)
    signed_in(super_admin).post(change(own), form(new_client_secret="another"))
    healed = Credential.objects.get(client=own)
    assert (healed.client_refused, healed.renewal_problem, healed.retry_at) == (False, "", None)
    assert Credential.objects.get(client=other).client_refused


def test_its_connector_and_organization_cannot_be_changed(
    signed_in, operator, studio, stranger_organization, client_of, form
):
    client = client_of(studio)
    signed_in(operator).post(
        change(client),
        form(connector_slug="github", organization=str(stranger_organization.pk), host="evil"),
    )
    client = OAuthClient.objects.get()
    assert (client.connector_slug, client.organization, client.host) == ("slack", studio, "")


@pytest.mark.parametrize("organization", ["stranger", ""])
def test_super_admins_register_only_for_their_organization(
    signed_in, super_admin, stranger_organization, form, organization
):
    chosen = str(stranger_organization.pk) if organization else ""
    response = signed_in(super_admin).post(ADD, form(organization=chosen))
    assert response.status_code == 200
    assert not OAuthClient.objects.exists()


def test_super_admins_see_only_their_own_clients(
    signed_in, super_admin, studio, stranger_organization, client_of
):
    own, theirs, everybodys = client_of(studio), client_of(stranger_organization), client_of(None)
    browser = signed_in(super_admin)
    page = browser.get(LIST).content.decode()
    assert change(own) in page
    for hidden in (theirs, everybodys):
        assert change(hidden) not in page
        assert browser.get(change(hidden)).status_code in (302, 403, 404)
        browser.post(change(hidden), {"client_id": "taken over"})
        browser.post(
            reverse("admin:connections_oauthclient_delete", args=[hidden.pk]), {"post": "yes"}
        )
        browser.post(
            LIST,
            {"action": "delete_selected", "_selected_action": str(hidden.pk), "post": "yes"},
        )
        hidden.refresh_from_db()
        assert hidden.client_id == "kept"


def test_operators_see_all_clients(signed_in, operator, studio, stranger_organization, client_of):
    clients = [client_of(studio), client_of(stranger_organization), client_of(None)]
    browser = signed_in(operator)
    page = browser.get(LIST).content.decode()
    for client in clients:
        assert change(client) in page
        assert browser.get(change(client)).status_code == 200


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.ADMIN, Role.USER])
def test_others_cannot_open_it(signed_in, member, studio, client_of, form, role):
    client = client_of(studio)
    browser = signed_in(member(studio, role))
    for address in (reverse("admin:index"), LIST, ADD, change(client)):
        assert browser.get(address).status_code in (302, 403)
        assert browser.post(address, form()).status_code in (302, 403)
    assert OAuthClient.objects.get().client_id == "kept"


def test_super_admins_cannot_manage_accounts(signed_in, super_admin):
    assert signed_in(super_admin).get(reverse("admin:accounts_user_changelist")).status_code == 403


def test_services_with_their_own_host_require_it(signed_in, super_admin, form):
    browser = signed_in(super_admin)
    for host in (
        "",
        "https://hub.example.com/x",
        "ftp://hub.example.com",
        "hub.example.com/x",
        "a b",
    ):
        response = browser.post(ADD, form(connector_slug="jupyterhub", host=host))
        assert response.status_code == 200
        assert "host" in response.context["adminform"].form.errors
    assert (
        browser.post(ADD, form(connector_slug="jupyterhub", host="HUB.example.com")).status_code
        == 302
    )
    assert OAuthClient.objects.get().host == "hub.example.com"


def test_a_client_for_one_host_belongs_to_one_organization(signed_in, operator, form):
    response = signed_in(operator).post(
        ADD, form(connector_slug="jupyterhub", host="hub.example.com", organization="")
    )
    assert "organization" in response.context["adminform"].form.errors


def test_other_services_reject_a_host(signed_in, super_admin, form):
    response = signed_in(super_admin).post(ADD, form(host="slack.example.com"))
    assert "host" in response.context["adminform"].form.errors


def test_several_clients_have_different_names(signed_in, super_admin, form):
    browser = signed_in(super_admin)
    browser.post(ADD, form())
    response = browser.post(ADD, form(name="main"))
    assert "already a client named main" in response.content.decode()
    assert browser.post(ADD, form(name="Partners", client_id="2")).status_code == 302
    assert list(OAuthClient.objects.values_list("name", "is_default")) == [
        ("Main", True),
        ("Partners", False),
    ]


def test_no_service_is_preselected(signed_in, super_admin, form):
    browser = signed_in(super_admin)
    assert (
        '<option value="" selected>Choose a service</option>' in browser.get(ADD).content.decode()
    )
    response = browser.post(ADD, form(connector_slug=""))
    assert response.context["adminform"].errors.keys() == {"connector_slug"}
    assert not OAuthClient.objects.exists()


def test_the_default_of_several_clients_cannot_be_deleted(
    signed_in, super_admin, studio, client_of
):
    client = client_of(studio)
    OAuthClient.objects.create(connector_slug="slack", organization=studio, name="Partners")
    address = reverse("admin:connections_oauthclient_delete", args=[client.pk])
    browser = signed_in(super_admin)
    assert "is the default client" in browser.post(address, {"post": "yes"}).content.decode()
    data = {"action": "delete_selected", "_selected_action": str(client.pk), "post": "yes"}
    browser.post(LIST, data)
    assert OAuthClient.objects.count() == 2


def test_it_offers_only_oauth_connectors(signed_in, super_admin, form):
    response = signed_in(super_admin).post(ADD, form(connector_slug="twilio"))
    assert "connector_slug" in response.context["adminform"].form.errors


def test_a_client_in_use_cannot_be_deleted(
    signed_in, super_admin, studio, client_of, connect, grant
):
    client = client_of(studio)
    grant(connect("slack"))
    address = reverse("admin:connections_oauthclient_delete", args=[client.pk])
    signed_in(super_admin).post(address, {"post": "yes"})
    assert OAuthClient.objects.filter(pk=client.pk).exists()
