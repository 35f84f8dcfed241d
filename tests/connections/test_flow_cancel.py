from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from connections.models import Authorization, CanceledFlow, Flow
from tests.connections.flow_steps import allow, authorize, begin, words_of

pytestmark = pytest.mark.usefixtures("oauth_client")


def cancel(client, flow):
    return client.post(reverse("flow_cancel", args=[flow.pk]))


def test_it_stops_the_flow_and_returns_to_the_form(developer_client, connect):
    connection = connect(separate_environments=True)
    begin(developer_client, connection, environments=["stage"])
    response = cancel(developer_client, Flow.objects.get())
    assert response.status_code == 303
    page = reverse("connection_authorize", args=[connection.pk])
    assert response["Location"] == f"{page}?environment=stage"
    assert "The authorization was canceled." in words_of(developer_client.get(response["Location"]))
    flow = Flow.objects.get()
    assert flow.outcome == Flow.Outcome.FAILED
    assert flow.code_verifier is None


def test_a_later_callback_is_refused_and_says_why(developer_client, connect, alice, sandbox):
    callback = allow(alice, begin(developer_client, connect()))
    cancel(developer_client, Flow.objects.get())
    result = developer_client.get(callback)
    page = words_of(developer_client.get(result["Location"]))
    assert "Not authorized You canceled this authorization. Nothing was changed." in page
    assert sandbox.counts()["token"] == 0
    assert not Authorization.objects.exists()


def test_a_completed_flow_cannot_be_canceled(developer_client, connect, alice):
    flow = authorize(developer_client, connect(), alice)
    response = cancel(developer_client, flow)
    assert response["Location"] == flow.get_absolute_url()
    assert "Authorized as alice@example.com" in words_of(developer_client.get(response["Location"]))
    assert Authorization.objects.get().credential is not None


def cancel_early(client, flow_id, page=""):
    return client.post(reverse("flow_cancel", args=[flow_id]), {"next": page})


def test_a_flow_canceled_before_it_began_does_not_begin(developer_client, connect):
    connection, flow_id = connect(), uuid.uuid4()
    page = reverse("connection_authorize", args=[connection.pk])
    response = cancel_early(developer_client, flow_id, page)
    assert response["Location"] == page
    assert "The authorization was canceled." in words_of(developer_client.get(page))
    result = begin(developer_client, connection, flow=flow_id)
    flow = Flow.objects.get()
    assert result == flow.get_absolute_url()
    assert (flow.pk, flow.outcome, flow.code_verifier) == (flow_id, Flow.Outcome.FAILED, None)
    words = words_of(developer_client.get(result))
    assert "Not authorized You canceled this authorization. Nothing was changed." in words


def test_opening_again_does_not_undo_a_cancellation(developer_client, connect):
    """The request of *Open again* can arrive after *Cancel*, or from a second tab."""
    connection, flow_id = connect(), uuid.uuid4()
    begin(developer_client, connection, flow=flow_id)
    cancel_early(developer_client, flow_id)
    cancel_early(developer_client, flow_id)
    assert begin(developer_client, connection, flow=flow_id) == f"/flows/{flow_id}/"
    assert Flow.objects.get().outcome == Flow.Outcome.FAILED
    assert begin(developer_client, connection).startswith("http")


def test_it_is_about_ones_own_flows(developer_client, signed_in, stranger, connect):
    connection, flow_id = connect(), uuid.uuid4()
    begin(developer_client, connection, flow=flow_id)
    other = signed_in(stranger)
    assert cancel_early(other, flow_id)["Location"] == reverse("home")
    assert Flow.objects.get().outcome == Flow.Outcome.OPEN
    assert begin(developer_client, connection, flow=flow_id).startswith("http")


def test_it_returns_only_to_pages_of_this_console(developer_client):
    response = cancel_early(developer_client, uuid.uuid4(), "//elsewhere.test/")
    assert response["Location"] == reverse("home")


def test_cancellations_are_deleted_after_a_day(developer_client):
    cancel_early(developer_client, uuid.uuid4())
    call_command("prune")
    assert CanceledFlow.objects.count() == 1
    CanceledFlow.objects.update(created_at=timezone.now() - timedelta(days=1, seconds=1))
    call_command("prune")
    assert not CanceledFlow.objects.exists()
