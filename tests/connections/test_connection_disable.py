from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.calls import prepared_call
from connections.calls.errors import ConnectionDisabled
from connections.calls.invoking import invoke
from connections.calls.lookup import Caller
from connections.models import Connection, Credential
from connections.setup.disabling import disable_connection, enable_connection
from console.accounts.authority import NotAllowed
from console.audit.models import Event
from console.choices import Environment
from console.health.credential_checks import check_one
from console.health.problems import HealthProblemKind, problems_for, urgent_problems
from tests.connections.call_helpers import API, get, state_of
from tests.connections.flow_steps import words_of

WHY = "The account is moved to another region"


@pytest.fixture
def orders(connect, grant):
    connection = connect("sandbox", name="Orders", link_name="orders")
    grant(connection)
    return connection


@pytest.fixture
def caller(application):
    prepared_call._prepared.clear()
    return Caller(
        application=application.pk,
        organization=application.organization_id,
        environment=Environment.DEVELOPMENT,
    )


def test_a_press_disables_it_and_another_enables_it(developer_client, developer, orders):
    page = reverse("connection_disable", args=[orders.pk])
    assert "Nothing is revoked" in words_of(developer_client.get(page))
    response = developer_client.post(page, {"reason": f"  {WHY}\n"}, follow=True)
    assert f"by {developer}: {WHY}" in words_of(response)

    orders.refresh_from_db()
    assert (orders.disabled_by, orders.disabled_reason) == (developer, WHY)
    assert orders.authorizations.get().state == "active"

    developer_client.post(reverse("connection_enable", args=[orders.pk]))
    orders.refresh_from_db()
    assert (orders.disabled_at, orders.disabled_by, orders.disabled_reason) == (None, None, "")
    assert [e.action for e in Event.objects.order_by("number")] == [
        "connection.disabled",
        "connection.enabled",
    ]


@pytest.mark.parametrize("reason", ["nul\0", "x" * 301])
def test_it_refuses_a_bad_reason(developer_client, orders, reason):
    page = reverse("connection_disable", args=[orders.pk])
    assert developer_client.post(page, {"reason": reason}).status_code == 422
    assert not Connection.objects.get().is_disabled


def test_a_second_press_changes_nothing(orders, developer, super_admin):
    assert disable_connection(orders, developer, "First")
    assert not disable_connection(orders, super_admin, "Second")
    assert Connection.objects.get().disabled_reason == "First"
    assert enable_connection(orders, developer)
    assert not enable_connection(orders, developer)


def test_strangers_cannot(orders, stranger):
    with pytest.raises(NotAllowed):
        disable_connection(orders, stranger)
    disabled = Connection.objects.filter(disabled_at__isnull=False)
    assert not disabled


def test_every_state_says_so(orders, developer):
    assert state_of(orders).name == "active"
    disable_connection(orders, developer, WHY)
    state = state_of(Connection.objects.get())
    assert (state.name, state.works, state.needs_authorization) == ("disabled", False, False)
    assert WHY in state.problem
    assert Connection.objects.get().authorizations.get().display.name == "disabled"


def test_a_run_is_refused(network, orders, developer):
    disable_connection(orders, developer, WHY)
    exchange = invoke(get(), state_of(Connection.objects.get()))
    assert f"Orders is disabled, so nothing was sent. Reason: “{WHY}”." in exchange.problem
    assert exchange.authorize_url == ""
    assert len(network.calls) == 0


def test_a_prepared_call_ends_within_its_second(orders, developer, caller):
    prepared = prepared_call.read_call((caller, "orders"))
    disable_connection(orders, developer, WHY)
    prepared_call._prepared.extend(prepared.key, prepared, since=-prepared_call.VALID_SECONDS - 1e9)
    assert prepared_call._current([prepared]) == []
    with pytest.raises(ConnectionDisabled, match="is disabled"):
        prepared_call.read_call((caller, "orders"), stale=prepared)
    enable_connection(orders, developer)
    assert prepared_call.read_call((caller, "orders")).secret == prepared.secret


def test_it_is_not_tested(network, developer_client, orders, developer):
    authorization = orders.authorizations.get()
    Credential.objects.update(checked_at=timezone.now() - timedelta(days=3))
    disable_connection(orders, developer, WHY)
    page = reverse("authorization_test", args=[authorization.pk])
    assert "is disabled" in words_of(developer_client.post(page, follow=True))
    assert check_one.call(str(authorization.credential_id)) == "not due"
    assert len(network.calls) == 0

    enable_connection(orders, developer)
    assert Credential.objects.get().check_at <= timezone.now()


def test_a_credential_of_another_connection_is_still_tested(
    network, connect, grant, orders, developer
):
    other = connect("sandbox", name="Other")
    credential = orders.authorizations.get().credential
    grant(other)
    other.authorizations.update(credential=credential)
    Credential.objects.update(checked_at=timezone.now() - timedelta(days=3))
    network.get(f"{API}/api/me", json={"email": "alice@example.com"})
    disable_connection(orders, developer)
    assert check_one.call(str(credential.pk)) == "done"


def test_health_lists_it_as_disabled_only(orders, developer):
    orders.authorizations.update(state="needs_authorization", reason="Sandbox says no.")
    disable_connection(orders, developer, WHY)
    (problem,) = problems_for(developer)
    assert problem.kind is HealthProblemKind.DISABLED
    assert problem.why == (
        f"Disabled by {developer}: {WHY}. Its authorization has stopped, too. Sandbox says no."
    )
    assert urgent_problems(developer, limit=5) == []


def test_the_list_filters_it(developer_client, connect, grant, orders, developer):
    grant(connect("sandbox", name="Other"))
    disable_connection(orders, developer)

    def listed(status):
        page = developer_client.get(reverse("connection_list"), {"status": status})
        return [row.name for row in page.context["page"].rows]

    assert listed("disabled") == ["Orders"]
    assert listed("active") == ["Other"]
    assert listed("needs_authorization") == []
