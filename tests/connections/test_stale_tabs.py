"""A form that was opened before somebody else saved does not overwrite it without a word."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.urls import reverse

from connections.models import Connection, Credential
from tests.connections.flow_steps import words_of
from tests.connections.wizard_answers import name_form, url


def seen_in(response, action: str = "") -> str:
    """Return the fingerprint that the form of a page carries."""
    page = response.content.decode()
    form = page[page.index(f'action="{action}"') :] if action else page
    return unescape(re.search(r'name="seen" value="([^"]*)"', form)[1])


class Tab:
    """A page that somebody has open, and the form in it."""

    def __init__(self, client, page: str, action: str = "") -> None:
        self.client, self.action = client, action or page
        self.seen = seen_in(client.get(page), action)

    def send(self, **form):
        return self.client.post(self.action, {**form, "seen": self.seen})


STEPS = {
    "name": (
        lambda draft, name: name_form(draft, name=name),
        ("Alerts", "News"),
        "name",
        ("Alerts", "News"),
    ),
    "level": (
        lambda draft, level: {"level": level},
        ("logged_in_user", "administrator"),
        "level",
        ("Logged-in User", "Administrator"),
    ),
    "permissions": (
        lambda draft, scope: {"scopes": [scope]},
        ("chat:write", "channels:read"),
        "scopes",
        ("chat:write", "channels:read"),
    ),
}


@pytest.mark.parametrize("step", STEPS)
def test_two_tabs_of_the_wizard(developer_client, start, step):
    form, (theirs, mine), field, words = STEPS[step]
    draft = start("zoho_crm" if step == "level" else "slack")
    first, stale = (Tab(developer_client, url(draft, step)) for _ in range(2))
    assert first.send(**form(draft, theirs)).status_code == 303
    saved = getattr(Connection.objects.get(), field)

    response = stale.send(**form(draft, mine))

    assert response.status_code == 409
    page = words_of(response)
    assert f"Saved now: {words[0]}" in page
    assert f"Yours: {words[1]}" in page
    assert getattr(Connection.objects.get(), field) == saved, "nothing is overwritten"

    stale.seen = seen_in(response)
    assert stale.send(**form(draft, mine)).status_code == 303
    assert getattr(Connection.objects.get(), field) in (mine, [mine])


def test_the_last_step_creates_nothing_that_nobody_has_seen(developer_client, start):
    draft = start("twilio")
    developer_client.post(url(draft, "name"), name_form(draft))
    developer_client.post(url(draft, "level"), {"level": "administrator"})
    stale = Tab(developer_client, url(draft, "environments"))
    Connection.objects.update(separate_environments=True)

    response = stale.send()

    assert response.status_code == 409
    assert "Press “Create and Authorize” again" in words_of(response)
    assert Connection.objects.get().is_draft
    stale.seen = seen_in(response)
    assert stale.send().status_code == 303
    assert not Connection.objects.get().separate_environments


def test_back_in_a_stale_tab_overwrites_nothing_either(developer_client, start):
    draft = start("zoho_crm")
    stale = Tab(developer_client, url(draft, "level"))
    Connection.objects.update(level="logged_in_user")

    assert stale.send(level="administrator", back="1").status_code == 409
    assert Connection.objects.get().level == "logged_in_user"


def test_the_same_answer_twice_is_no_conflict(developer_client, start):
    draft = start("zoho_crm")
    first, second = (Tab(developer_client, url(draft, "level")) for _ in range(2))

    for tab in (first, second):
        assert tab.send(level="logged_in_user").status_code == 303


def test_another_question_is_no_conflict(developer_client, start):
    draft = start("zoho_crm")
    tab = Tab(developer_client, url(draft, "level"))
    developer_client.post(url(draft, "name"), name_form(draft, name="Other"))

    assert tab.send(level="logged_in_user").status_code == 303


def test_a_form_with_faults_keeps_what_was_seen(developer_client, start):
    """What is shown beside the faults is not what is kept, so it must not count as seen."""
    draft = start("slack")
    tab = Tab(developer_client, url(draft, "name"))
    response = tab.send(**name_form(draft, name=""))
    assert response.status_code == 422

    tab.seen = seen_in(response)
    assert tab.send(**name_form(draft, name="Better")).status_code == 303


# The page of a connection


@pytest.fixture
def connection(connect, grant) -> Connection:
    connection = connect(name="Before", scopes=["contacts.read"])
    grant(connection)
    return connection


def test_two_names(developer_client, connection):
    action = reverse("connection_rename", args=[connection.pk])
    stale = Tab(developer_client, connection.get_absolute_url(), action)
    Connection.objects.update(name="Theirs")

    response = stale.send(name="Mine")

    assert response.status_code == 409
    page = words_of(response)
    assert "Saved now: Theirs" in page and "Yours: Mine" in page
    assert 'value="Mine"' in response.content.decode()
    assert Connection.objects.get().name == "Theirs"
    stale.seen = seen_in(response, action)
    assert stale.send(name="Mine").status_code == 303
    assert Connection.objects.get().name == "Mine"


def test_two_choices_of_permissions(developer_client, connection):
    stale = Tab(developer_client, reverse("connection_permissions", args=[connection.pk]))
    Connection.objects.update(scopes=["contacts.read", "orders.write"])

    response = stale.send(scopes=["orders.read"])

    assert response.status_code == 409
    page = words_of(response)
    assert "Saved now: contacts.read, orders.write" in page
    assert "Yours: orders.read" in page
    assert Connection.objects.get().scopes == ["contacts.read", "orders.write"]
    stale.seen = seen_in(response)
    assert stale.send(scopes=["orders.read"]).status_code == 303
    assert Connection.objects.get().scopes == ["orders.read"]


def test_two_labels_of_an_account(developer_client, connection):
    action = reverse("authorization_label", args=[connection.authorizations.get().pk])
    stale = Tab(developer_client, connection.get_absolute_url(), action)
    Credential.objects.update(label="Theirs")

    response = stale.send(label="Mine")

    assert response.status_code == 409
    page = words_of(response)
    assert "Saved now: Theirs" in page and "Yours: Mine" in page
    assert Credential.objects.get().label == "Theirs"
    stale.seen = seen_in(response, action)
    assert stale.send(label="Mine").status_code == 303
    assert Credential.objects.get().label == "Mine"


def test_a_name_does_not_disturb_permissions(developer_client, connection):
    tab = Tab(developer_client, reverse("connection_permissions", args=[connection.pk]))
    Connection.objects.update(name="Theirs")

    assert tab.send(scopes=["orders.read"]).status_code == 303


# What authorizes it


@pytest.fixture
def typed(connect) -> Connection:
    return connect("sandbox_basic")


def press(client, connection: Connection, seen: str, **form):
    """Press *Authorize* with a user name and a password."""
    given = {"username": "alice", "password": "wrong"} | form
    address = reverse("connection_authorize", args=[connection.pk])
    return client.post(address, {**given, "seen": seen})


def test_an_account_that_was_authorized_meanwhile_is_not_replaced(
    developer_client, typed, grant, sandbox
):
    address = reverse("connection_authorize", args=[typed.pk])
    seen = seen_in(developer_client.get(address))
    grant(typed, label="theirs@example.com")

    response = press(developer_client, typed, seen)

    assert response.status_code == 409
    page = words_of(response)
    assert "Development and Stage Saved now: theirs@example.com" in page
    assert "wrong" not in response.content.decode(), "no secret is shown again"
    assert sandbox.counts()["api"] == 0, "nothing was tried out"
    assert Credential.objects.get().label == "theirs@example.com"
    again = press(developer_client, typed, seen_in(response))
    assert again.status_code != 409


def test_what_a_page_has_shown_is_replaced(developer_client, typed, grant, sandbox):
    grant(typed)
    address = reverse("connection_authorize", args=[typed.pk])
    seen = seen_in(developer_client.get(address))

    assert press(developer_client, typed, seen).status_code != 409


def test_an_account_elsewhere_is_no_conflict(developer_client, connect, grant, sandbox):
    connection = connect("sandbox_basic", separate_environments=True)
    address = reverse("connection_authorize", args=[connection.pk])
    seen = seen_in(developer_client.get(address))
    grant(connection, "stage")

    one = press(developer_client, connection, seen, environments=["development"])
    both = press(developer_client, connection, seen, environments=["development", "stage"])

    assert (one.status_code == 409, both.status_code == 409) == (False, True)


def test_reusing_an_account_replaces_none_unseen(developer_client, typed, connect, grant, sandbox):
    other = grant(connect("sandbox_basic"), label="other@example.com").credential
    seen = seen_in(developer_client.get(reverse("connection_authorize", args=[typed.pk])))
    grant(typed, label="theirs@example.com")
    address = reverse("connection_reuse", args=[typed.pk])

    response = developer_client.post(address, {"credential": other.pk, "seen": seen})

    assert response.status_code == 409
    page = words_of(response)
    assert "Saved now: theirs@example.com" in page and "Yours: other@example.com" in page
    form = {"credential": other.pk, "seen": seen_in(response)}
    assert developer_client.post(address, form).status_code == 303
    assert typed.authorizations.get().credential == other


def test_the_flow_of_a_popup_stays_the_same(developer_client, connect, grant, oauth_client):
    """The page that opened the popup goes on looking for it."""
    connection = connect()
    address = reverse("connection_authorize", args=[connection.pk])
    page = developer_client.get(address)
    grant(connection, label="theirs@example.com")
    flow = str(page.context["flow_id"])

    response = developer_client.post(address, {"flow": flow, "seen": seen_in(page)})

    assert response.status_code == 409
    assert str(response.context["flow_id"]) == flow
    again = developer_client.post(address, {"flow": flow, "seen": seen_in(response)})
    assert again.status_code == 303
