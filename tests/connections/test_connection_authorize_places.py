"""Authorize for environments, and for one person or everybody."""

from __future__ import annotations

import re
import uuid

import pytest
from django.urls import reverse

from connections.models import Connection, Credential, Flow, OAuthClient
from console.choices import Level, Role
from tests.connections.flow_steps import authorize, begin, words_of


def page(connection: Connection) -> str:
    return reverse("connection_authorize", args=[connection.pk])


def test_each_environment_has_an_authorization_of_its_own(
    developer_client, connect, oauth_client, alice, bob
):
    connection = connect(separate_environments=True)
    authorize(developer_client, connection, alice, environments=["development"])
    proposed = developer_client.get(page(connection)).context["form"].initial["environments"]
    assert proposed == ["stage"]
    authorize(developer_client, connection, bob, environments=["stage"])

    labels = connection.authorizations.values_list("environment", "credential__label")
    assert dict(labels) == {"development": "alice@example.com", "stage": "bob@example.com"}


def test_one_credential_serves_both_environments(developer_client, connect, oauth_client, alice):
    connection = connect(separate_environments=True)
    authorize(developer_client, connection, alice, environments=["development", "stage"])
    assert connection.authorizations.count() == 2
    assert Credential.objects.count() == 1


@pytest.mark.parametrize("environments", [[], ["production"], ["all"], ["stage", "x"]])
def test_it_refuses_environments_that_the_connection_does_not_have(
    developer_client, connect, oauth_client, environments
):
    connection = connect(separate_environments=True)
    form = {"flow": uuid.uuid4(), "environments": environments}
    assert developer_client.post(page(connection), form).status_code == 422
    assert not Flow.objects.exists()


def test_two_clients_for_two_environments_are_asked_one_after_the_other(
    developer_client, connect, oauth_client, alice
):
    for environment in ("development", "stage"):
        OAuthClient.objects.create(
            connector_slug="sandbox",
            client_id=oauth_client.client_id,
            client_secret=oauth_client.client_secret.reveal(),
            environment=environment,
        )
    connection = connect(separate_environments=True)
    both = {"flow": uuid.uuid4(), "environments": ["development", "stage"]}
    response = developer_client.post(page(connection), both)
    assert response.status_code == 422
    assert "one after the other" in words_of(response)
    flow = authorize(developer_client, connection, alice, environments=["stage"])
    assert flow.client.environment == "stage"
    assert flow.outcome == Flow.Outcome.COMPLETED


def test_each_person_has_their_own_account(
    developer_client, connect, oauth_client, signed_in, member, studio, alice, bob
):
    connection = connect(level=Level.LOGGED_IN_USER)
    colleague = signed_in(member(studio, Role.DEVELOPER, "colleague@studio.example"))

    authorize(developer_client, connection, alice)
    unseen = words_of(colleague.get(connection.get_absolute_url()))
    authorize(colleague, connection, bob)

    assert "alice@example.com" not in unseen
    assert "Nobody has authorized" in unseen
    assert connection.authorizations.count() == 2
    for client, own, other in (
        (developer_client, "alice@example.com", "bob@example.com"),
        (colleague, "bob@example.com", "alice@example.com"),
    ):
        text = words_of(client.get(connection.get_absolute_url()))
        assert own in text
        assert other not in text


def test_the_authorizations_of_a_colleague_are_hidden(
    developer_client, connect, oauth_client, signed_in, member, studio, alice
):
    connection = connect(level=Level.LOGGED_IN_USER)
    authorize(developer_client, connection, alice)
    authorization = connection.authorizations.get()
    colleague = signed_in(member(studio, Role.DEVELOPER, "colleague@studio.example"))
    for name in ("authorization_test", "authorization_label", "authorization_revoke"):
        response = colleague.post(reverse(name, args=[authorization.pk]), {"label": "Mine"})
        assert response.status_code == 404
    authorization.refresh_from_db()
    assert authorization.state == "active"


def checked(response) -> list[str]:
    return re.findall(r'name="environments" value="(\w+)"[^>]* checked', response.content.decode())


@pytest.mark.parametrize(
    ("query", "environments"),
    [
        ("?environment=stage", ["stage"]),
        ("?environment=development&environment=stage", ["development", "stage"]),
        ("?environment=elsewhere&environment=stage", ["stage"]),
        ("?environment=elsewhere", ["development"]),
    ],
)
def test_the_url_preselects_environments(
    developer_client, connect, oauth_client, query, environments
):
    connection = connect(separate_environments=True)
    url = reverse("connection_authorize", args=[connection.pk]) + query
    assert checked(developer_client.get(url)) == environments


def test_trying_again_keeps_the_environments(developer_client, connect, oauth_client):
    connection = connect(separate_environments=True)
    begin(developer_client, connection, environments=["stage"])
    Flow.objects.update(outcome=Flow.Outcome.FAILED, problem="Denied.")
    page = developer_client.get(Flow.objects.get().get_absolute_url()).content.decode()
    retry = reverse("connection_authorize", args=[connection.pk]) + "?environment=stage"
    assert f'href="{retry}"' in page


def test_a_reloaded_page_goes_on_waiting_for_its_flow(developer_client, connect, oauth_client):
    connection = connect(separate_environments=True)
    begin(developer_client, connection, environments=["stage"])
    flow, url = Flow.objects.get(), reverse("connection_authorize", args=[connection.pk])
    response = developer_client.get(url, {"flow": flow.pk})
    assert f'data-flow-waiting="{flow.pk}"' in response.content.decode()
    assert checked(response) == ["stage"]


def test_only_a_flow_of_this_person_and_connection_is_waited_for(
    developer_client, connect, oauth_client, signed_in, member, studio
):
    begin(developer_client, connect())
    flow, other = Flow.objects.get(), connect(name="Other")
    colleague = signed_in(member(studio, Role.DEVELOPER, "colleague@studio.example"))
    for client, connection, key in (
        (developer_client, other, flow.pk),
        (colleague, flow.connection, flow.pk),
        (developer_client, flow.connection, uuid.uuid4()),
        (developer_client, flow.connection, "nonsense"),
    ):
        url = reverse("connection_authorize", args=[connection.pk])
        response = client.get(url, {"flow": key})
        assert response.status_code == 200
        assert b"data-flow-waiting" not in response.content
