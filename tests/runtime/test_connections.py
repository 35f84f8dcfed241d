from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from connections.models import Authorization, Credential
from console.publishing import publishing
from tests.runtime.answers import problem

SECRETS = ("an-access-token", "a-refresh-token", "own-access-token")


def test_it_lists_what_stands_in_the_environment(ask, people, own, connect):
    connect("sandbox_basic", name="A draft", status="draft", link_name="")
    response = ask("connections/")
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in response
    assert not response.cookies
    names = [each["link_name"] for each in response.json()["connections"]]
    assert names == ["own_mail", "people"]


def test_it_tells_all_about_one_but_its_secret(ask, people, settings):
    response = ask("connections/people/")
    assert response.json() == {
        "link_name": "people",
        "name": "People",
        "service": "Sandbox",
        "connector": "sandbox",
        "level": "administrator",
        "environment": "development",
        "state": "active",
        "works": True,
        "problem": None,
        "reason_code": None,
        "account": "alice@example.com",
        "ends_at": None,
        "scopes": {
            "asked": list(people.scopes_asked),
            "granted": list(people.scopes_asked),
            "missing": [],
        },
        "authorize_url": None,
        "proxy_url": f"{settings.PUBLIC_URL}/api/v1/connections/people/proxy",
    }
    assert not any(secret in response.content.decode() for secret in SECRETS)


def test_it_says_why_a_token_is_not_renewed(ask, people):
    why = "Sandbox does not accept this console's OAuth client (invalid_client)."
    Credential.objects.update(renewal_problem=why, client_refused=True)
    for told in (ask("connections/people/").json(), *ask("connections/").json()["connections"]):
        assert (told["state"], told["works"], told["problem"]) == ("active", True, why)
        assert told["authorize_url"] is None


def test_it_says_why_an_authorization_has_stopped(ask, people):
    Authorization.objects.update(state="needs_authorization", reason="Sandbox says no.")
    assert ask("connections/people/").json()["problem"] == "Sandbox says no."


def test_an_end_that_each_renewal_moves_on_is_not_told(ask, people):
    Credential.objects.update(ends_at=timezone.now() + timedelta(minutes=29), is_extended=True)
    told = ask("connections/people/").json()
    assert (told["state"], told["ends_at"]) == ("active", None)


def test_it_names_the_permissions_that_are_missing(ask, connect, grant, settings):
    connection = connect(link_name="people", scopes=["contacts.read", "orders.read"])
    grant(connection, scopes_granted=["profile.read", "contacts.read"])
    told = ask("connections/people/").json()
    assert told["state"] == "permissions_missing"
    assert told["scopes"]["missing"] == ["orders.read"]
    assert told["authorize_url"] == (
        f"{settings.PUBLIC_URL}/connections/{connection.pk}/authorize/?environment=all"
    )


def test_it_says_where_to_authorize(ask, connect):
    connect(link_name="people", separate_environments=True)
    told = ask("connections/people/").json()
    assert (told["state"], told["works"], told["account"]) == ("needs_authorization", False, None)
    assert told["authorize_url"].endswith("/authorize/?environment=development")


@pytest.mark.parametrize("state", ["revoked", "needs_authorization", "unknown_outcome"])
def test_it_tells_the_state(ask, people, state):
    Authorization.objects.update(state=state)
    assert ask("connections/people/").json()["state"] == state


def test_it_tells_how_it_stands_for_the_person(ask, own, grant, developer, super_admin):
    secret = {"access_token": "own-access-token"}
    grant(own, user=super_admin, secret=secret, label="root@x.example")
    nobody = ask("connections/own_mail/")
    assert (nobody.json()["state"], nobody.json()["account"]) == ("user_token_required", None)
    other = ask("connections/own_mail/", user=developer)
    assert (other.json()["state"], other.json()["account"]) == ("needs_authorization", None)
    his = ask("connections/own_mail/", user=super_admin)
    assert (his.json()["state"], his.json()["account"]) == ("active", "root@x.example")
    for response in (nobody, other, his):
        assert not any(secret in response.content.decode() for secret in SECRETS)


def test_stage_holds_what_was_released(ask, people, build, application, developer, may_publish):
    assert ask("connections/", environment="stage").json() == {"connections": []}
    build("Find", people)
    publishing.publish(application, developer, ticked=["find"])
    people.scopes = ["orders.read"]
    people.save()
    told = ask("connections/people/", environment="stage").json()
    assert "contacts.read" in told["scopes"]["asked"]
    assert "orders.read" not in told["scopes"]["asked"]
    assert told["environment"] == "stage"


def test_stage_does_not_use_what_development_is_authorized_for(
    ask, connect, grant, build, application, developer, may_publish
):
    connection = connect(link_name="people", separate_environments=True)
    grant(connection, "development")
    build("Find", connection)
    publishing.publish(application, developer, ticked=["find"])
    assert ask("connections/people/").json()["works"]
    assert not ask("connections/people/", environment="stage").json()["works"]


@pytest.mark.parametrize("name", ["nothing", "People", "a-b"])
def test_it_knows_its_own_alone(ask, people, name):
    document = problem(ask(f"connections/{name}/"), "connection-not-found", 404)
    assert name in document["detail"]


def test_head_is_get(ask, people, client, key_of):
    headers = {"Authorization": f"Bearer {key_of()}"}
    response = client.head("/api/v1/connections/people/", headers=headers)
    assert (response.status_code, response.content) == (200, b"")


def test_it_needs_a_person_who_is_proved(ask, own):
    response = ask("connections/own_mail/", **{"Console-User": "developer@studio.example"})
    assert "does not prove" in problem(response, "user-token-refused", 401)["detail"]


def test_few_queries_however_many(ask, connect, grant, django_assert_max_num_queries):
    ask("connections/")
    for number in range(12):
        grant(connect(name=f"C {number}", link_name=f"c_{number}"))
    with django_assert_max_num_queries(8):
        assert len(json.loads(ask("connections/").content)["connections"]) == 12
