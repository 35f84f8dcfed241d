from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.models import Flow
from tests.connections.flow_steps import allow, authorize, begin, flow_at, words_of

pytestmark = pytest.mark.usefixtures("oauth_client")


def test_it_works(developer_client, connect, alice):
    flow = authorize(developer_client, connect(), alice)
    response = developer_client.get(flow.get_absolute_url())
    assert "Authorized as alice@example.com" in words_of(response)
    assert "no-store" in response["Cache-Control"]


def test_it_holds_no_code_state_or_token(developer_client, connect, alice):
    callback = allow(alice, begin(developer_client, connect()))
    flow = flow_at(developer_client.get(callback)["Location"])
    page = developer_client.get(flow.get_absolute_url()).content.decode()
    for pair in callback.partition("?")[2].split("&"):
        name, _, value = pair.partition("=")
        assert name == "iss" or value not in page


def test_it_says_that_it_is_waiting(developer_client, connect):
    begin(developer_client, connect())
    page = developer_client.get(Flow.objects.get().get_absolute_url())
    assert "Continue in the other window" in words_of(page)


def test_it_stops_waiting_after_ten_minutes(developer_client, connect):
    begin(developer_client, connect())
    Flow.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    flow = Flow.objects.get()
    for name in ("flow_detail", "flow_status"):
        page = developer_client.get(reverse(name, args=[flow.pk]))
        assert "The time limit of ten minutes has passed" in words_of(page)
        assert b"data-flow-waiting" not in page.content


def test_the_status_is_a_partial_of_the_page(developer_client, connect, alice):
    flow = authorize(developer_client, connect(), alice)
    response = developer_client.get(reverse("flow_status", args=[flow.pk]))
    assert "Authorized as alice@example.com" in words_of(response)
    assert b"<html" not in response.content


def test_an_unknown_flow_has_the_status_waiting(developer_client):
    address = reverse("flow_status", args=[uuid.uuid4()])
    response = developer_client.get(address)
    assert "Continue in the other window" in words_of(response)
    assert address in response.content.decode()
