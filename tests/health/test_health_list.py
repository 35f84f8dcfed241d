from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.authorizations.state_changes import mark_ended
from connections.models import Authorization, Credential
from console.accounts.models import User
from console.applications.models import Application
from console.choices import Role
from tests.connections.flow_steps import words_of

URL = reverse("health_list")
State = Authorization.State


@pytest.fixture
def make(connect, grant):
    """Make an authorized connection; what is given is written into its credential."""

    def one(name: str, user=None, **fields) -> Authorization:
        level = "logged_in_user" if user else "administrator"
        authorization = grant(connect("twilio", name=name, level=level), user=user)
        Credential.objects.filter(pk=authorization.credential_id).update(**fields)
        return authorization

    return one


def days(number: float):
    return timezone.now() + timedelta(days=number)


def listed(client, query: str = "") -> list[str]:
    return [need.authorization.connection.name for need in client.get(URL + query).context["rows"]]


def stop(authorization: Authorization, reason: str = "Twilio says no.", state=None) -> None:
    mark_ended(authorization.credential, state or State.NEEDS_AUTHORIZATION, reason)


def test_it_lists_what_has_stopped_with_reason_and_button(developer_client, make):
    authorization = make("Messages")
    stop(authorization)
    page = developer_client.get(URL)
    assert "Twilio says no." in words_of(page)
    address = reverse("connection_authorize", args=[authorization.connection_id])
    assert f"{address}?environment=all" in page.content.decode()


def test_what_breaks_first_is_on_top(developer_client, make):
    make("Fine")
    make("Failing", check_problem="Twilio did not answer.", checked_at=timezone.now())
    make("Ends in five", ends_at=days(5), obtained_at=days(-60))
    make("Ends in two", ends_at=days(2), obtained_at=days(-60))
    make("Ended", ends_at=days(-1), obtained_at=days(-60))
    stop(make("Lost"), state=State.UNKNOWN_OUTCOME)
    assert listed(developer_client) == [
        "Lost",
        "Ended",
        "Ends in two",
        "Ends in five",
        "Failing",
    ]


def test_each_stands_there_once(developer_client, make):
    make("Both", check_problem="No.", ends_at=days(2), obtained_at=days(-60))
    assert listed(developer_client) == ["Both"]


def test_what_will_be_renewed_by_itself_needs_nobody(developer_client, make):
    make("Young", ends_at=days(10), obtained_at=days(-1), is_extended=True)
    assert listed(developer_client) == []


@pytest.mark.parametrize("left", [1, -1])
def test_what_was_not_renewed_in_time_ends_soon(developer_client, make, left):
    make("Overdue", ends_at=days(left), obtained_at=days(-10), is_extended=True)
    (need,) = developer_client.get(URL).context["rows"]
    assert need.kind == "ending"


def test_an_end_that_no_renewal_moves_is_told_in_time(developer_client, make):
    make("Renewed just now", ends_at=days(2), obtained_at=timezone.now(), is_extended=False)
    assert listed(developer_client) == ["Renewed just now"]


def test_what_a_refused_client_keeps_from_renewal_is_listed(developer_client, make):
    make(
        "Not renewed",
        client_refused=True,
        renewal_problem="Twilio does not accept this console's OAuth client.",
    )
    make("Out of order", renewal_problem="Twilio has a problem of its own (status 503).")
    page = developer_client.get(URL)
    assert [need.name for need in page.context["rows"]] == ["Not renewed"]
    assert "Twilio does not accept this console's OAuth client." in words_of(page)
    assert listed(developer_client, "?why=unrenewed") == ["Not renewed"]


def test_filters_narrow_it(developer_client, make, studio):
    stop(make("Lost"))
    make("Ends", ends_at=days(2), obtained_at=days(-60))
    other = Application.objects.create(organization=studio, name="Other", link_name="other")
    assert listed(developer_client, "?why=ending") == ["Ends"]
    assert listed(developer_client, "?why=nonsense") == ["Lost", "Ends"]
    page = developer_client.get(f"{URL}?application={other.pk}")
    assert page.context["rows"] == []
    assert "Nothing fits" in words_of(page)


def test_nothing_to_do_says_so(developer_client):
    assert "Nothing needs anybody" in words_of(developer_client.get(URL))


def test_the_table_alone_for_htmx(developer_client, make):
    stop(make("Lost"))
    page = developer_client.get(URL, headers={"HX-Request": "true", "HX-Target": "table"})
    assert "<html" not in page.content.decode()
    assert "Lost" in words_of(page)


def test_the_pane_counts_what_has_stopped(developer_client, make):
    def door():
        return next(
            d for d in developer_client.get("/").context["navigation"] if d.label == "Health"
        )

    assert door().count == 0
    stop(make("Lost"))
    make("Ends", ends_at=days(2), obtained_at=days(-60))
    assert door().count == 1


def test_others_do_not_see_it(make, signed_in, member, studio, stranger):
    stop(make("Lost"))
    for user in (stranger, member(studio, Role.USER), member(studio, Role.ADMIN)):
        assert listed(signed_in(user)) == []
    nobody = User.objects.create_user("nobody@test.example", "pass-word-1")
    assert signed_in(nobody).get(URL).status_code == 403


def test_a_persons_own_account_is_his_own_matter(make, signed_in, developer, super_admin):
    stop(make("Mine", user=developer))
    assert listed(signed_in(developer)) == ["Mine"]
    assert listed(signed_in(super_admin)) == []


def test_revoked_on_purpose_needs_nobody(developer_client, make):
    make("Gone")
    Authorization.objects.update(state=State.REVOKED)
    assert listed(developer_client) == []


def test_it_rejects_post(developer_client):
    assert developer_client.post(URL).status_code == 405


def test_many_take_as_many_queries_as_one(developer_client, make, django_assert_max_num_queries):
    for number in range(15):
        stop(make(f"Lost {number}"))
    with django_assert_max_num_queries(17):
        assert len(listed(developer_client)) == 15
