"""Bulk actions on connections: preview, progress, and what they do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from connections.bulk import bulk_execution
from connections.models import BulkRun, Connection
from console.audit.models import Event
from console.choices import Role
from console.jobs.retention import STEPS
from tests.connections.flow_steps import words_of

ADDRESS = reverse("bulk_preview")


def preview(client, action: str, *rows: Connection, **params):
    data = {"action": action, "connection": [row.pk for row in rows], **params}
    return client.get(ADDRESS, data)


def carry_out(client, action: str, *rows: Connection, **params) -> BulkRun:
    """Start a bulk action and return it; small ones are finished at once."""
    data = {"action": action, "connection": [row.pk for row in rows], **params}
    response = client.post(ADDRESS, data)
    assert response.status_code == 303, words_of(response)
    run = BulkRun.objects.latest("created_at")
    assert response.url == run.get_absolute_url()
    return run


def results(run: BulkRun) -> dict[str, str]:
    return dict(run.items.values_list("name", "state"))


@pytest.fixture
def some(connect, grant, build) -> dict[str, Connection]:
    authorized, bare = connect(name="Authorized"), connect(name="Bare")
    grant(authorized)
    used = connect(name="Used")
    build("Caller", used)
    released = connect(name="Released", first_released=3)
    disabled = connect(name="Disabled", disabled_at=timezone.now())
    draft = connect("slack", name="Draft", status="draft", link_name="")
    found = (authorized, bare, used, released, disabled, draft)
    return {row.name: row for row in found}


@pytest.mark.parametrize(
    ("action", "included", "why"),
    [
        ("test", {"Authorized"}, "It is not authorized."),
        ("authorize", {"Bare", "Used", "Released"}, "It is authorized already."),
        (
            "disable",
            {"Authorized", "Bare", "Used", "Released"},
            "It is disabled already.",
        ),
        ("enable", {"Disabled"}, "It is not disabled."),
        ("tag", {"Authorized", "Bare", "Used", "Released", "Disabled"}, "It is still a draft."),
        ("delete", {"Authorized", "Bare", "Disabled"}, "Components call it: Caller."),
        ("delete", {"Authorized", "Bare", "Disabled"}, "Release 3 contains it."),
    ],
)
def test_the_preview_says_what_happens_to_which(developer_client, some, action, included, why):
    response = preview(developer_client, action, *some.values())
    shown = response.context["preview"]
    assert {row.name for row in shown.included} == included
    assert {row.name for row, _ in shown.left_out} == some.keys() - included
    assert why in words_of(response)
    assert not BulkRun.objects.exists()


def test_rows_of_others_are_not_touched(signed_in, stranger, some):
    client = signed_in(stranger)
    assert preview(client, "disable", *some.values()).context["preview"].included == []
    response = client.post(ADDRESS, {"action": "disable", "connection": some["Bare"].pk})
    assert response.status_code == 422
    assert not BulkRun.objects.exists()


def test_it_disables_enables_and_tags(developer_client, some):
    rows = [some["Bare"], some["Used"]]
    assert results(carry_out(developer_client, "disable", *rows)) == {
        "Bare": "done",
        "Used": "done",
    }
    assert Connection.objects.filter(disabled_at__isnull=False).count() == 3
    assert Event.objects.filter(action="connection.disabled").count() == 2
    carry_out(developer_client, "enable", *rows)
    assert Connection.objects.filter(disabled_at__isnull=False).count() == 1
    run = carry_out(developer_client, "tag", *rows, tags="Billing, eu")
    assert run.is_finished or BulkRun.objects.get(pk=run.pk).is_finished
    assert {tag.name for tag in some["Bare"].tags.all()} == {"billing", "eu"}
    carry_out(developer_client, "untag", some["Bare"], tags="eu")
    assert {tag.name for tag in some["Bare"].tags.all()} == {"billing"}


@pytest.mark.parametrize("tags", ["", " , ", "x" * 41])
def test_invalid_tags_are_refused_and_nothing_is_lost(developer_client, some, tags):
    data = {"action": "tag", "connection": some["Bare"].pk, "tags": tags}
    response = developer_client.post(ADDRESS, data)
    assert response.status_code == 422
    assert str(some["Bare"].pk) in response.content.decode()


def test_it_deletes_and_leaves_out_what_came_into_use(developer_client, some, build):
    run = carry_out(developer_client, "delete", some["Bare"])
    assert results(run) == {"Bare": "done"}
    assert not Connection.objects.filter(name="Bare").exists()
    waiting = BulkRun.objects.create(organization=run.organization, user=run.user, action="delete")
    waiting.items.create(connection=some["Authorized"], name="Authorized")
    build("Late", some["Authorized"])
    bulk_execution.continue_for_a_moment(waiting)
    assert results(waiting) == {"Authorized": "skipped"}


def test_it_tests_every_environment(developer_client, some, network):
    network.get("http://localhost:9000/api/me", json={"id": 1, "name": "alice"})
    run = carry_out(developer_client, "test", some["Authorized"], some["Bare"])
    assert results(run) == {"Authorized": "done"}
    network.reset()
    network.get("http://localhost:9000/api/me", status=503)
    run = carry_out(developer_client, "test", some["Authorized"])
    assert results(run) == {"Authorized": "failed"}
    page = words_of(developer_client.get(run.get_absolute_url()))
    assert "1 failed" in page


def test_a_lost_role_stops_it(developer_client, developer, some):
    run = BulkRun.objects.create(
        organization=some["Bare"].application.organization, user=developer, action="disable"
    )
    run.items.create(connection=some["Bare"], name="Bare")
    developer.memberships.update(role=Role.USER)
    bulk_execution.continue_for_a_moment(run)
    assert results(run) == {"Bare": "skipped"}
    assert not Connection.objects.get(name="Bare").is_disabled


def test_it_is_continued_where_it_stopped(developer_client, developer, some):
    """A slice ends after its time; the background job and the page do the rest."""
    rows = [some["Bare"], some["Used"], some["Released"]]
    run = BulkRun.objects.create(
        organization=rows[0].application.organization, user=developer, action="disable"
    )
    for row in rows:
        run.items.create(connection=row, name=row.name)
    steps = iter([True, False])
    bulk_execution.continue_run(run, lambda: next(steps))
    assert sorted(results(run).values()) == ["done", "waiting", "waiting"]
    page = developer_client.get(run.get_absolute_url())
    assert "hx-post" in page.content.decode()

    BulkRun.objects.update(due_at=timezone.now() + timedelta(minutes=1))  # another one works on it
    call_command("run_bulk_actions")
    assert sorted(results(run).values()) == ["done", "waiting", "waiting"]
    BulkRun.objects.update(due_at=timezone.now())  # that process was killed
    call_command("run_bulk_actions")
    assert set(results(run).values()) == {"done"}
    assert Event.objects.filter(action="connection.disabled").count() == 3
    page = developer_client.get(run.get_absolute_url())
    assert 'hx-trigger="load' not in page.content.decode()


def test_nobody_else_sees_it(signed_in, member, studio, developer_client, some):
    run = carry_out(developer_client, "disable", some["Bare"])
    colleague = signed_in(member(studio, Role.DEVELOPER, "colleague@studio.example"))
    assert colleague.get(run.get_absolute_url()).status_code == 404
    assert colleague.post(reverse("bulk_continue", args=[run.pk])).status_code == 404


def test_the_queue_to_authorize_goes_on_by_itself(developer_client, some, grant):
    run = carry_out(developer_client, "authorize", some["Bare"], some["Used"], some["Released"])
    page = developer_client.get(run.get_absolute_url())
    first = page.context["waiting"][0]
    assert reverse("connection_authorize", args=[first.pk]) in page.content.decode()
    grant(first)
    page = developer_client.get(run.get_absolute_url())
    assert [row.pk for row in page.context["waiting"]].count(first.pk) == 0
    second = page.context["waiting"][0]
    developer_client.post(reverse("bulk_continue", args=[run.pk]), {"skip": second.pk})
    developer_client.post(reverse("bulk_continue", args=[run.pk]), {"skip": "nonsense"})
    assert len(developer_client.get(run.get_absolute_url()).context["waiting"]) == 1


def test_all_that_match_are_taken(developer_client, some, connect):
    for n in range(25):
        connect(name=f"Row {n}")
    response = developer_client.get(ADDRESS, {"action": "disable", "all": "1", "q": "row"})
    assert len(response.context["preview"].included) == 25


@pytest.mark.parametrize("query", ["", "action=nonsense", "action=test&connection=nonsense"])
def test_a_query_that_makes_no_sense_changes_nothing(developer_client, some, query):
    assert developer_client.get(f"{ADDRESS}?{query}").status_code in (200, 303)


def test_old_runs_are_deleted(developer_client, some):
    carry_out(developer_client, "disable", some["Bare"])
    assert STEPS["bulk actions older than 30 days"]() == 0
    BulkRun.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert STEPS["bulk actions older than 30 days"]() == 1
