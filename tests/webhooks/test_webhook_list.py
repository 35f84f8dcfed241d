from __future__ import annotations

import pytest
from django.urls import reverse

from console.audit.actions import AuditAction
from console.audit.models import Event
from console.webhooks.models import Delivery, Webhook
from console.webhooks.registration import MAX_WEBHOOKS
from tests.connections.flow_steps import words_of


@pytest.fixture
def url(application) -> str:
    return reverse("webhook_list", args=[application.pk])


def test_it_shows_the_secret_once(developer_client, url, register):
    webhook, secret = register()
    assert secret.startswith("whsec_")
    assert webhook.secret.reveal() == secret
    assert secret not in developer_client.get(url).content.decode()
    event = Event.objects.get(action=AuditAction.WEBHOOK_CREATED)
    assert event.object_label == webhook.host
    assert secret not in str(event.details)


def test_without_webhooks_it_explains_them(developer_client, url):
    assert "No webhooks yet" in words_of(developer_client.get(url))


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://user:password@hooks.example.com/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:6379/",
        "https://hooks.example.com/#part",
        "ftp://hooks.example.com/",
        "javascript:alert(1)",
        "https://hooks.example.com/\\@evil.example",
        "https://hooks.example.com/" + "x" * 500,
        "not an address",
        "",
        "https://\x00",
    ],
)
def test_it_refuses_urls_that_the_console_never_calls(developer_client, url, address):
    page = developer_client.post(url, {"url": address})
    assert page.status_code == 422
    assert page.context["form"].errors["url"]
    assert not Webhook.objects.exists()


def test_it_refuses_more_than_the_maximum(register, developer_client, url, receiver):
    for _ in range(MAX_WEBHOOKS):
        register()
    page = developer_client.post(url, {"url": receiver.url})
    assert page.status_code == 409
    assert "Delete one first" in words_of(page)


def test_it_lists_the_messages_newest_first(developer_client, url, register):
    webhook, _ = register()
    for number in range(25):
        Delivery.objects.create(webhook=webhook, type=f"number.{number}", body="{}")
    page = developer_client.get(url)
    assert [d.type for d in page.context["page"].rows][:2] == ["number.24", "number.23"]
    older = developer_client.get(url + page.context["page"].next)
    assert [d.type for d in older.context["page"].rows][-1] == "number.0"


def test_it_hides_from_strangers(signed_in, stranger, url):
    assert signed_in(stranger).get(url).status_code == 404
    assert signed_in(stranger).post(url, {"url": "https://hooks.example.com/"}).status_code == 404
