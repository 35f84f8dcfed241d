from __future__ import annotations

import pytest
from django.urls import reverse

from connections.models import Authorization, Flow
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
