from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.models import Authorization, Credential
from tests.connections.flow_steps import words_of


def test_it_works(developer_client, connect, grant):
    connection = connect(name="Leads", scopes=["contacts.read", "orders.write"])
    grant(connection)
    page = words_of(developer_client.get(connection.get_absolute_url()))
    for words in ("Leads", connection.link_name, "alice@example.com", "See your contacts."):
        assert words in page


def test_a_draft_leads_to_the_wizard(developer_client, connect):
    draft = connect(status="draft", link_name="")
    response = developer_client.get(draft.get_absolute_url())
    assert response["Location"] == reverse("connection_setup", args=[draft.pk, "name"])


def test_it_names_each_environment(developer_client, connect, grant):
    connection = connect(separate_environments=True)
    grant(connection, "stage")
    page = words_of(developer_client.get(connection.get_absolute_url()))
    assert page.index("Development") < page.index("Stage")
    assert "Nobody has authorized this connection here yet" in page


@pytest.mark.parametrize(
    ("ends_in", "state"),
    [
        (None, "active"),
        (timedelta(days=15), "active"),
        (timedelta(days=13), "expiring"),
        (timedelta(seconds=-1), "needs_authorization"),
    ],
)
def test_it_tells_by_the_end_of_the_grant(developer_client, connect, grant, ends_in, state):
    connection = connect()
    authorization = grant(connection, ends_at=timezone.now() + ends_in if ends_in else None)
    assert authorization.display.name == state
    assert developer_client.get(connection.get_absolute_url()).status_code == 200


@pytest.mark.parametrize(
    ("age", "left", "state"),
    [
        (timedelta(minutes=1), timedelta(minutes=29), "active"),
        (timedelta(minutes=16), timedelta(minutes=14), "expiring"),
        (timedelta(days=1), timedelta(days=13), "active"),
        # The service was out of order, or the console was: only the service knows.
        (timedelta(minutes=31), timedelta(minutes=-1), "expiring"),
    ],
)
def test_an_end_that_each_renewal_moves_on_is_none(
    developer_client, connect, grant, age, left, state
):
    connection = connect()
    now = timezone.now()
    ends = {"ends_at": now + left, "expires_at": now + min(left, timedelta(minutes=4))}
    authorization = grant(connection, obtained_at=now - age, is_extended=True, **ends)
    assert authorization.display.name == state
    page = words_of(developer_client.get(connection.get_absolute_url()))
    assert ("Stops working" in page) == (state != "active")


@pytest.mark.parametrize("refused", [False, True])
def test_it_says_why_a_token_is_not_renewed(developer_client, connect, grant, refused):
    connection = connect()
    why = "Sandbox does not accept this console's OAuth client (invalid_client)."
    grant(connection, renewal_problem=why, client_refused=refused)
    page = words_of(developer_client.get(connection.get_absolute_url()))
    assert f"Failed: {why}" in page
    assert ("You do not have to authorize again" in page) == refused
    assert ("The console tries again automatically." in page) != refused


@pytest.mark.parametrize("state", Authorization.State.values)
def test_it_shows_every_state_and_reason(developer_client, connect, grant, state):
    connection = connect()
    grant(connection)
    Authorization.objects.update(state=state, reason="Because of this.")
    page = words_of(developer_client.get(connection.get_absolute_url()))
    assert ("Because of this." in page) == (state != "active")


def test_it_lists_what_calls_it(developer_client, connect, build):
    connection = connect()
    address = connection.get_absolute_url()
    page = words_of(developer_client.get(address))
    assert "No component of Field Service calls Sandbox through this connection yet." in page

    component = build("Find customer", connection)
    build("Something else", connect())

    response = developer_client.get(address)
    # It leads to where the component can be run.
    run = f"{component.get_absolute_url()}?run=development"
    assert f'href="{run}"' in response.content.decode()
    assert "Find customer Function · find_customer" in words_of(response)
    assert "Something else" not in words_of(response)


def test_it_survives_a_connector_that_left_the_catalogue(developer_client, connect, grant):
    connection = connect("sandbox_basic")
    grant(connection)
    type(connection).objects.update(connector_slug="gone")
    Credential.objects.update(connector_slug="gone")
    page = words_of(developer_client.get(connection.get_absolute_url()))
    assert "gone" in page
    for name in ("connection_authorize", "connection_permissions"):
        assert developer_client.get(reverse(name, args=[connection.pk])).status_code == 404
    assert developer_client.get(reverse("connection_list")).status_code == 200
    delete = reverse("connection_delete", args=[connection.pk])
    assert developer_client.post(delete).status_code == 303


def test_markup_stays_text(developer_client, connect, grant):
    hostile = '"><svg onload=alert(1)>'
    connection = connect("rabbitmq_management", name=hostile, parameters={"host": hostile})
    grant(connection, label=hostile)
    Authorization.objects.update(reason=hostile, state="revoked")
    for address in (connection.get_absolute_url(), reverse("connection_list"), "/"):
        assert "<svg onload" not in developer_client.get(address).content.decode()


def facts(client, connection) -> str:
    return words_of(client.get(connection.get_absolute_url()))


def test_it_says_when_the_access_token_expires(developer_client, connect, grant):
    connection = connect()
    credential = grant(connection).credential
    now = timezone.now()
    nearly = timedelta(minutes=19, seconds=30)
    for expires_at, words in (
        (now + nearly, "Expires in 19 minutes and renews automatically."),
        (now - nearly, "Expired 19 minutes ago . The next call renews it automatically."),
    ):
        Credential.objects.filter(pk=credential.pk).update(expires_at=expires_at)
        assert words in facts(developer_client, connection).replace("\xa0", " ")


def test_it_says_when_the_access_has_ended(developer_client, connect, grant):
    connection = connect()
    grant(connection, ends_at=timezone.now() - timedelta(days=3, hours=1))
    page = facts(developer_client, connection).replace("\xa0", " ")
    assert "Stopped working 3 days ago" in page
    assert "Stops working" not in page


def test_an_overdue_renewal_has_no_end_in_the_past(developer_client, connect, grant):
    connection = connect()
    now = timezone.now()
    grant(
        connection,
        ends_at=now - timedelta(days=1),
        obtained_at=now - timedelta(days=30),
        is_extended=True,
    )
    page = facts(developer_client, connection)
    assert "Expires soon" in page
    assert "day ago" not in page.replace("\xa0", " ")
