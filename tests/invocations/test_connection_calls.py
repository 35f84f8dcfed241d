from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from console.invocations.call_filters import PAGE_SIZE
from console.invocations.models import Invocation
from tests.connections.flow_steps import words_of


@pytest.fixture
def connection(connect):
    return connect(name="Customers")


@pytest.fixture
def see(developer_client, connection):
    """Return the page's answer for a query."""

    def look(query: str = "", client=developer_client):
        return client.get(reverse("connection_calls", args=[connection.pk]) + query)

    return look


def paths(response) -> list[str]:
    return [row.path for row in response.context["page"].rows]


def test_it_lists_calls_newest_first(see, connection, log, developer):
    log(connection, path="/older", ago=timedelta(minutes=5))
    log(connection, path="/newer", user_id=developer.pk, refreshed=True, bytes_out=1700)
    response = see()
    assert paths(response) == ["/newer", "/older"]
    words = words_of(response)
    assert "GET api.example.com/newer" in words
    assert f"{developer.email} key ck_dev_abc…" in words
    assert "40 ms 1.7" in words
    assert "token refreshed" in words


def test_the_details_page_links_to_it(developer_client, connection):
    page = developer_client.get(connection.get_absolute_url()).content.decode()
    assert f'href="{reverse("connection_calls", args=[connection.pk])}"' in page


def test_it_says_that_there_are_no_calls(see):
    assert "No calls found" in words_of(see())
    assert "No calls yet" in words_of(see("?period=month"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"/fine", "/missing", "/broken", "/offline", "/stage", "/post", "/person"}),
        ("?outcome=worked", {"/fine", "/stage", "/post", "/person"}),
        ("?outcome=refused", {"/missing"}),
        ("?outcome=failed", {"/broken", "/offline"}),
        ("?environment=stage", {"/stage"}),
        ("?method=POST", {"/post"}),
        ("?who=developer@stu", {"/person"}),
        ("?who=ck_other", {"/post"}),
        ("?who=nobody", set()),
        ("?period=hour&outcome=worked", {"/fine", "/post", "/person"}),
        ("?period=century&outcome=odd&environment=production&method=EAT&before=x", None),
        ("?before=2026-01-01T00:00:00Z_99999999999999999999999999&period=month", set()),
        (f"?after=2026-11-25T00:00:00+00:00_{'f' * 32}", None),
    ],
)
def test_the_query_string_filters_the_calls(see, connection, log, developer, query, expected):
    log(connection, path="/fine")
    log(connection, path="/missing", status=404)
    log(connection, path="/broken", status=502)
    log(connection, path="/offline", status=200, problem="answer-too-large")
    log(connection, path="/stage", environment="stage", ago=timedelta(hours=2))
    log(connection, path="/post", method="POST", key_prefix="ck_other_x")
    log(connection, path="/person", user_id=developer.pk, key_prefix="")
    log(connection, path="/long ago", ago=timedelta(days=3))
    found = set(paths(see(query)))
    everything = {"/fine", "/missing", "/broken", "/offline", "/stage", "/post", "/person"}
    assert found == (everything if expected is None else expected)


def test_it_hides_calls_of_other_organizations(
    see, connection, log, signed_in, stranger, stranger_organization, connect
):
    log(connection, path="/ours")
    log(connection, path="/theirs", organization_id=stranger_organization.pk)
    log(connection, path="/theirs", environment="production")
    log(connect(name="Other"), path="/other")
    response = see("?period=month")
    assert paths(response) == ["/ours"]
    assert response.context["chart"].calls == 1
    assert "/theirs" not in response.content.decode()
    assert see(client=signed_in(stranger)).status_code == 404
    assert not Invocation.objects.visible_to(stranger).filter(path="/ours").exists()


def test_drafts_have_no_calls(connect, developer_client):
    draft = connect(name="Draft", status="draft", link_name="")
    assert developer_client.get(reverse("connection_calls", args=[draft.pk])).status_code == 404


def test_pages_lose_no_calls_of_the_same_moment(see, connection, log):
    at = timezone.now() - timedelta(minutes=1)
    for number in range(2 * PAGE_SIZE + 3):
        log(connection, path=f"/{number}", at=at)  # all at the same moment
    seen, query = [], "?method=GET"
    while query:
        response = see(query)
        seen += paths(response)
        query = response.context["page"].next
    assert seen == [f"/{number}" for number in reversed(range(2 * PAGE_SIZE + 3))]
    assert paths(see(response.context["page"].previous)) == seen[PAGE_SIZE : 2 * PAGE_SIZE]


@pytest.mark.parametrize("period", ["hour", "day", "week", "month"])
def test_the_chart_counts_the_listed_calls(see, connection, log, period):
    log(connection, 97, milliseconds=40)
    log(connection, 2, milliseconds=900, status=404)
    log(connection, milliseconds=9000, status=504, problem="service-timeout")
    log(connection, ago=timedelta(days=40))
    chart = see(f"?period={period}").context["chart"]
    assert (chart.calls, chart.refused, chart.failed) == (100, 2, 1)
    assert chart.p95 == 40
    assert [step.calls for step in chart.used] == [100]
    assert (chart.most, chart.half) == (100, 50)
    steps = {"hour": "2 minutes", "day": "hour", "week": "6 hours", "month": "day"}
    assert chart.step_words == steps[period]
    assert [chart.marks[0], chart.marks[-1]] == [chart.steps[0], chart.steps[-1]]
    assert len(chart.marks) == 5
    narrowed = see(f"?period={period}&outcome=failed").context["chart"]
    assert (narrowed.calls, narrowed.p95) == (1, 9_000)


def test_the_percentile_is_not_above_the_slowest_call(see, connection, log):
    log(connection, 10, milliseconds=61)
    for period in ("hour", "day"):
        chart = see(f"?period={period}").context["chart"]
        assert (chart.p95, chart.used[0].p95) == (61, 61)


def test_one_call_is_written_in_the_singular(see, connection, log):
    log(connection)
    page = words_of(see())
    assert "1 call " in page
    assert "1 calls" not in page


def test_times_of_the_chart_can_be_shown_in_the_time_zone_of_the_reader(see, connection, log):
    log(connection)
    page = see().content.decode()
    start = see().context["chart"].used[0].since
    assert f'<time datetime="{start.isoformat()}" data-style="date-time">' in page
    assert f'<title data-moment="{start.isoformat()}" data-words="1 call, ' in page
    assert "Times are in <span data-time-zone>UTC</span>." in page


def test_the_chart_says_that_the_person_filter_does_not_apply(see, connection, log):
    log(connection)
    assert "only the list below is filtered by ck_dev" in words_of(see("?who=ck_dev"))


def test_the_chart_is_also_a_table(see, connection, log):
    log(connection, 3)
    page = see().content.decode()
    assert "Show as a table" in page
    assert '<svg viewBox="0 0 240 100"' in page


def test_changing_a_filter_fetches_the_chart_and_the_list(see, connection, log, developer_client):
    log(connection)
    response = developer_client.get(
        reverse("connection_calls", args=[connection.pk]) + "?period=week",
        headers={"HX-Request": "true", "HX-Target": "table"},
    )
    page = response.content.decode()
    assert page.lstrip().startswith('<div id="table">')
    assert "<svg" in page


@pytest.mark.parametrize("query", ["?period=hour", "?period=month"])
def test_the_number_of_queries_does_not_grow_with_the_calls(
    see, connection, log, django_assert_num_queries, django_assert_max_num_queries, developer, query
):
    log(connection, user_id=developer.pk)
    see(query)
    with django_assert_max_num_queries(20) as first:
        see(query)
    log(connection, 60, user_id=developer.pk)
    log(connection, 60, method="POST", status=500, environment="stage", milliseconds=3000)
    with django_assert_num_queries(len(first)):
        see(query)
