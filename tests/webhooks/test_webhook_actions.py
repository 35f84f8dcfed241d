"""Test, enable and delete a webhook, and resend a message."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from console.audit.actions import AuditAction
from console.audit.models import Event
from console.webhooks.models import Delivery, Webhook
from tests.connections.flow_steps import words_of
from tests.webhooks.conftest import verified


@pytest.fixture
def press(developer_client):
    def do(route: str, row) -> str:
        return words_of(developer_client.post(reverse(route, args=[row.pk]), follow=True))

    return do


def test_a_test_message_is_signed(register, receiver, press):
    webhook, secret = register()
    assert "has accepted the message" in press("webhook_test", webhook)
    headers, body = receiver.received[0]
    assert verified(headers, body, secret)
    assert not verified(headers, body + b" ", secret)
    assert receiver.messages[0]["type"] == "webhook.test"
    assert receiver.messages[0]["id"] == headers["webhook-id"]
    assert headers["content-type"] == "application/json"


def test_a_failed_test_message_says_why(register, receiver, press):
    webhook, _ = register()
    receiver.status = 500
    assert "answered with status 500. The console retries automatically." in press(
        "webhook_test", webhook
    )


def test_a_message_is_resent_with_the_same_id(register, receiver, press):
    webhook, _ = register()
    press("webhook_test", webhook)
    assert "has accepted the message" in press("delivery_resend", Delivery.objects.get())
    first, second = (headers["webhook-id"] for headers, _ in receiver.received)
    assert first == second
    assert Delivery.objects.count() == 1


def test_a_disabled_webhook_gets_nothing_until_it_is_enabled(register, receiver, press):
    webhook, _ = register()
    press("webhook_test", webhook)
    Webhook.objects.update(disabled_at=timezone.now(), problem="It did not answer.")
    assert "Enable it first" in press("webhook_test", webhook)
    assert "Enable it first" in press("delivery_resend", Delivery.objects.get())
    assert len(receiver.received) == 1
    assert Delivery.objects.count() == 1
    assert "is enabled" in press("webhook_enable", webhook)
    assert "has accepted the message" in press("webhook_test", webhook)
    assert Event.objects.filter(action=AuditAction.WEBHOOK_ENABLED).count() == 1


def test_enabling_an_enabled_webhook_changes_nothing(register, press):
    webhook, _ = register()
    press("webhook_enable", webhook)
    assert not Event.objects.filter(action=AuditAction.WEBHOOK_ENABLED).exists()


def test_deleting_asks_for_confirmation(register, developer_client, press):
    webhook, _ = register()
    page = developer_client.get(reverse("webhook_delete", args=[webhook.pk]))
    assert "Delete the webhook" in words_of(page)
    assert Webhook.objects.exists()
    assert "no longer receives events" in press("webhook_delete", webhook)
    assert not Webhook.objects.exists()
    assert Event.objects.filter(action=AuditAction.WEBHOOK_DELETED).count() == 1


@pytest.mark.parametrize("route", ["webhook_test", "webhook_enable", "webhook_delete"])
def test_it_hides_from_strangers(register, signed_in, stranger, route):
    webhook, _ = register()
    address = reverse(route, args=[webhook.pk])
    assert signed_in(stranger).post(address).status_code == 404
    assert Webhook.objects.exists()


def test_a_message_hides_from_strangers(register, receiver, press, signed_in, stranger):
    press("webhook_test", register()[0])
    address = reverse("delivery_resend", args=[Delivery.objects.get().pk])
    assert signed_in(stranger).post(address).status_code == 404
    assert len(receiver.received) == 1
