from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.authorizations.state_changes import mark_ended
from connections.models import Authorization, Connection, Credential, ReleasedConnection
from connections.models.state_badge import AUTHORIZATION_STATES
from connectors.definitions.registry import get_connector
from console.accounts.models import User
from console.applications.models import Application
from console.choices import Role
from tests.connections.flow_steps import words_of

URL = reverse("health_list")
State = Authorization.State
ALWAYS = [action.scope for action in get_connector("sandbox").oauth2.always]


@pytest.fixture
def make(connect, grant):
    """Return a function that creates an authorized connection with fields of its credential."""

    def one(name: str, user=None, **fields) -> Authorization:
        level = "logged_in_user" if user else "administrator"
        authorization = grant(connect("twilio", name=name, level=level), user=user)
        Credential.objects.filter(pk=authorization.credential_id).update(**fields)
        return authorization

    return one


def days(number: float):
    return timezone.now() + timedelta(days=number)


def listed(client, query: str = "") -> list[str]:
    return [
        problem.authorization.connection.name for problem in client.get(URL + query).context["rows"]
    ]


def stop(authorization: Authorization, reason: str = "Twilio says no.", state=None) -> None:
    mark_ended(authorization.credential, state or State.NEEDS_AUTHORIZATION, reason)


def test_it_lists_stopped_authorizations_with_reason_and_button(developer_client, make):
    authorization = make("Messages")
    stop(authorization)
    page = developer_client.get(URL)
    assert "Twilio says no." in words_of(page)
    url = reverse("connection_authorize", args=[authorization.connection_id])
    assert f"{url}?environment=all" in page.content.decode()


def test_the_most_urgent_problem_is_first(developer_client, make):
    make("Fine")
    make("Failing", check_problem="Twilio did not answer.", checked_at=timezone.now())
    make("Ends in five", ends_at=days(5), obtained_at=days(-60))
    make("Ends in two", ends_at=days(2), obtained_at=days(-60))
    make("Ended", ends_at=days(-1), obtained_at=days(-60))
    stop(make("Lost"), state=State.UNKNOWN_OUTCOME)
    assert listed(developer_client) == [
        "Ended",
        "Lost",
        "Ends in two",
        "Ends in five",
        "Failing",
    ]


def test_each_authorization_is_listed_once(developer_client, make):
    make("Both", check_problem="No.", ends_at=days(2), obtained_at=days(-60))
    assert listed(developer_client) == ["Both"]


def test_credentials_that_renew_automatically_are_not_listed(developer_client, make):
    make("Young", ends_at=days(10), obtained_at=days(-1), is_extended=True)
    assert listed(developer_client) == []


@pytest.mark.parametrize("left", [1, -1])
def test_overdue_renewals_are_listed_as_ending_soon(developer_client, make, left):
    make("Overdue", ends_at=days(left), obtained_at=days(-10), is_extended=True)
    (problem,) = developer_client.get(URL).context["rows"]
    assert problem.kind == "expiring"


def test_credentials_that_cannot_be_renewed_are_listed_before_they_end(developer_client, make):
    make("Renewed just now", ends_at=days(2), obtained_at=timezone.now(), is_extended=False)
    assert listed(developer_client) == ["Renewed just now"]


def test_credentials_with_a_refused_client_are_listed(developer_client, make):
    make(
        "Not renewed",
        client_refused=True,
        renewal_problem="Twilio does not accept this console's OAuth client.",
    )
    make("Out of order", renewal_problem="Twilio has a problem of its own (status 503).")
    page = developer_client.get(URL)
    assert [problem.name for problem in page.context["rows"]] == ["Not renewed"]
    assert "Twilio does not accept this console's OAuth client." in words_of(page)
    assert listed(developer_client, "?why=unrenewed") == ["Not renewed"]


def test_it_can_be_filtered(developer_client, make, studio):
    stop(make("Lost"))
    make("Ends", ends_at=days(2), obtained_at=days(-60))
    other = Application.objects.create(organization=studio, name="Other", link_name="other")
    assert listed(developer_client, "?why=expiring") == ["Ends"]
    assert listed(developer_client, "?why=nonsense") == ["Lost", "Ends"]
    page = developer_client.get(f"{URL}?application={other.pk}")
    assert page.context["rows"] == []
    assert "No problems found" in words_of(page)


def test_it_says_that_there_are_no_problems(developer_client):
    assert "No problems" in words_of(developer_client.get(URL))


@pytest.fixture
def narrow(connect, grant) -> Authorization:
    """An authorization whose service has granted less than the connection needs."""
    authorization = grant(connect(name="Narrow"), scopes_granted=[*ALWAYS, "contacts.read"])
    Connection.objects.update(scopes=["contacts.read", "contacts.write"])
    return Authorization.objects.get(pk=authorization.pk)


def test_missing_permissions_are_listed(developer_client, narrow, make):
    make("Fine")
    page = developer_client.get(URL)
    assert [(p.name, p.kind) for p in page.context["rows"]] == [("Narrow", "permissions_missing")]
    assert "Missing: contacts.write." in words_of(page)
    assert narrow.display.name == "permissions_missing"


def test_permissions_that_only_stage_needs_are_listed(developer_client, narrow):
    needed = narrow.connection.snapshot.as_document()
    ReleasedConnection.objects.create(
        connection=narrow.connection, environment="stage", number=1, document=needed
    )
    Connection.objects.update(scopes=["contacts.read"])
    assert listed(developer_client) == ["Narrow"]
    ReleasedConnection.objects.update(document={**needed, "scopes": ["contacts.read"]})
    assert listed(developer_client) == []


def test_connections_without_an_authorization_are_counted(developer_client, connect, make):
    make("Fine")
    connect(name="Waits")
    connect("slack", name="Waits too")
    page = words_of(developer_client.get(URL))
    assert "No problems" in page
    assert "2 connections are not authorized in Development or Stage." in page


def test_it_names_the_states_in_the_words_and_order_of_all_pages(developer_client):
    states = [
        words for name, words in developer_client.get(URL).context["form"]["why"].field.choices
    ]
    listed_states = [badge.words for badge in AUTHORIZATION_STATES.values()]
    assert [words for words in states if words in listed_states] == [
        words for words in listed_states if words in states
    ]
    assert "Not authorized" in states and "Permissions missing" in states


def test_htmx_gets_only_the_table(developer_client, make):
    stop(make("Lost"))
    page = developer_client.get(URL, headers={"HX-Request": "true", "HX-Target": "table"})
    assert "<html" not in page.content.decode()
    assert "Lost" in words_of(page)


def test_the_navigation_counts_stopped_authorizations(developer_client, make):
    def item():
        return next(
            each
            for each in developer_client.get("/").context["navigation"]
            if each.label == "Health"
        )

    assert item().count == 0
    stop(make("Lost"))
    make("Ends", ends_at=days(2), obtained_at=days(-60))
    assert item().count == 1


def test_other_people_do_not_see_it(make, signed_in, member, studio, stranger):
    stop(make("Lost"))
    for user in (stranger, member(studio, Role.USER), member(studio, Role.ADMIN)):
        assert listed(signed_in(user)) == []
    nobody = User.objects.create_user("nobody@test.example", "pass-word-1")
    assert signed_in(nobody).get(URL).status_code == 403


def test_only_the_person_sees_their_own_account(make, signed_in, developer, super_admin):
    stop(make("Mine", user=developer))
    assert listed(signed_in(developer)) == ["Mine"]
    assert listed(signed_in(super_admin)) == []


def test_revoked_authorizations_are_not_listed(developer_client, make):
    make("Gone")
    Authorization.objects.update(state=State.REVOKED)
    assert listed(developer_client) == []


def test_it_rejects_post(developer_client):
    assert developer_client.post(URL).status_code == 405


def test_the_number_of_queries_does_not_grow_with_the_list(
    developer_client, make, django_assert_max_num_queries
):
    for number in range(15):
        stop(make(f"Lost {number}"))
    with django_assert_max_num_queries(19):
        assert len(listed(developer_client)) == 15
