from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from connections.authorizations import granting, revoking
from connections.authorizations.state_changes import mark_ended, mark_recovered
from connections.models import Authorization
from connections.models.authorization_site import AuthorizationSite
from console import due_rows
from console.audit.actions import AuditAction
from console.audit.models import Event
from console.webhooks import deliveries, payloads
from console.webhooks.deliveries import WAITS, delete_old_deliveries
from console.webhooks.models import Delivery, Webhook
from tests.connections.flow_steps import words_of
from tests.webhooks.conftest import verified

State = Authorization.State


@pytest.fixture
def connection(connect):
    return connect("twilio", name="Messages")


def run() -> str:
    out = io.StringIO()
    call_command("deliver_webhooks", stdout=out)
    return out.getvalue().strip()


def stop(authorization: Authorization) -> None:
    mark_ended(authorization.credential, State.NEEDS_AUTHORIZATION, "Twilio says no.")


def due_again() -> None:
    Delivery.objects.filter(next_try_at__isnull=False).update(next_try_at=timezone.now())


def test_it_sends_the_events_of_an_authorization(register, receiver, connection, developer):
    _, secret = register()
    grant = granting.Grant(
        secret={"username": "a", "password": "canary-4711"}, account=None, parameters={}
    )
    credential, _ = granting.store_grant(
        AuthorizationSite.of_connection(connection), developer, ["all"], grant
    )
    mark_ended(credential, State.NEEDS_AUTHORIZATION, "Twilio says no.")
    mark_recovered(credential)
    granting.store_grant(AuthorizationSite.of_connection(connection), developer, ["all"], grant)
    revoking.revoke(connection.authorizations.get(), developer)

    assert run() == "deliver_webhooks: 5 sent."

    assert [message["type"] for message in receiver.messages] == [
        "authorization.created",
        "authorization.stopped",
        "authorization.recovered",
        "authorization.recovered",
        "authorization.revoked",
    ]
    assert all(verified(headers, body, secret) for headers, body in receiver.received)
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 5
    assert b"canary-4711" not in b"".join(body for _, body in receiver.received)
    stopped = receiver.messages[1]
    assert stopped["specversion"] == "1.0"
    assert stopped["source"] == "http://console.test"
    assert stopped["subject"] == connection.link_name
    assert stopped["data"] == {
        "application": "field_service",
        "connection": {
            "id": str(connection.pk),
            "link_name": connection.link_name,
            "name": "Messages",
            "connector": "twilio",
            "level": "administrator",
        },
        "environments": ["development", "stage"],
        "account": credential.label,
        "reason": "Twilio says no.",
        "reason_code": "unknown",
    }


def test_each_message_is_sent_once(register, receiver, connection, grant):
    register()
    stop(grant(connection))
    assert run() == "deliver_webhooks: 1 sent."
    assert run() == "deliver_webhooks: nothing to send."
    assert len(receiver.received) == 1


def test_events_before_the_registration_are_not_sent(register, receiver, connection, grant):
    stop(grant(connection))
    register()
    assert run() == "deliver_webhooks: nothing to send."


def test_other_applications_and_organizations_get_no_messages(
    register, receiver, connection, grant, studio, stranger_organization
):
    from console.applications.models import Application

    webhook, _ = register()
    other = Application.objects.create(organization=studio, name="Other", link_name="other")
    Webhook.objects.filter(pk=webhook.pk).update(application=other)
    second, _ = register()
    Webhook.objects.filter(pk=second.pk).update(organization=stranger_organization)
    stop(grant(connection))
    assert run() == "deliver_webhooks: nothing to send."
    assert receiver.received == []


def test_it_retries_until_the_message_is_delivered(register, receiver, connection, grant):
    register()
    stop(grant(connection))
    receiver.status = 503
    assert run() == "deliver_webhooks: 1 failed."
    delivery = Delivery.objects.get()
    assert "status 503" in delivery.problem
    assert timedelta(seconds=50) < delivery.next_try_at - timezone.now() <= WAITS[0]
    assert run() == "deliver_webhooks: nothing to send."

    receiver.status = 200
    due_again()
    assert run() == "deliver_webhooks: 1 sent."
    first, second = receiver.received
    assert (first[0]["webhook-id"], first[1]) == (second[0]["webhook-id"], second[1])
    delivery.refresh_from_db()
    assert (delivery.problem, delivery.next_try_at, delivery.tries) == ("", None, 2)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"status": 302, "headers": {"Location": "http://169.254.169.254/"}}, "redirected"),
        ({"status": 404}, "status 404"),
        ({"headers": {"Content-Encoding": "br"}, "status": 200}, "compressed"),
    ],
)
def test_any_other_response_is_a_failure(register, receiver, connection, grant, answer, problem):
    register()
    for name, value in answer.items():
        setattr(receiver, name, value)
    stop(grant(connection))
    assert run() == "deliver_webhooks: 1 failed."
    assert problem in Delivery.objects.get().problem
    assert len(receiver.received) == 1


def test_a_url_that_has_become_private_is_not_called(
    register, receiver, connection, grant, settings
):
    register()
    settings.ALLOWED_PRIVATE_HOSTS = []
    stop(grant(connection))
    assert run() == "deliver_webhooks: 1 failed."
    assert receiver.received == []


def test_after_the_last_attempt_the_webhook_is_disabled_with_a_mail(
    register, receiver, connection, grant, developer, developer_client
):
    webhook, _ = register()
    receiver.status = 500
    stop(grant(connection))
    for number in range(len(WAITS) + 1):
        assert run() == "deliver_webhooks: 1 failed.", number
        due_again()
    webhook.refresh_from_db()
    assert webhook.disabled_at
    assert "status 500" in webhook.problem
    event = Event.objects.get(action=AuditAction.WEBHOOK_DISABLED)
    assert (event.actor, event.organization_id) == (None, webhook.organization_id)
    (message,) = mail.outbox
    assert message.to == [developer.email]
    assert webhook.host in message.subject

    mark_recovered(Authorization.objects.get().credential)
    assert run() == "deliver_webhooks: nothing to send."
    assert len(receiver.received) == len(WAITS) + 1
    page = developer_client.get(f"/applications/{webhook.application_id}/webhooks/")
    assert "Disabled" in words_of(page)

    receiver.status = 200
    developer_client.post(f"/webhooks/{webhook.pk}/enable/")
    assert run() == "deliver_webhooks: 2 sent."


def test_eight_attempts_take_about_two_days():
    assert len(WAITS) + 1 == 8
    assert timedelta(days=1) < sum(WAITS, timedelta()) < timedelta(days=2)


def test_a_slow_webhook_does_not_delay_others(register, receiver, connection, grant):
    register()
    webhook, _ = register()
    Webhook.objects.exclude(pk=webhook.pk).update(url="http://localhost:1/")
    authorization = grant(connection)
    for _ in range(3):
        stop(authorization)
        mark_recovered(authorization.credential)
    assert run() == "deliver_webhooks: 1 failed, 6 sent."


def test_a_message_is_sent_again_if_the_process_was_killed(register, receiver, connection, grant):
    """The claim of the killed process ends after five minutes; the receiver may get it twice."""
    register()
    stop(grant(connection))
    payloads.compose()
    claimed = Delivery.objects.due()
    claimed.update(next_try_at=timezone.now() + due_rows.CLAIM, tries=1)
    assert run() == "deliver_webhooks: nothing to send."
    due_again()
    assert run() == "deliver_webhooks: 1 sent."


def test_a_mail_server_that_is_down_breaks_nothing(register, receiver, connection, grant, settings):
    settings.EMAIL_BACKEND = "tests.health.test_check_health.Broken"
    webhook, _ = register()
    receiver.status = 500
    stop(grant(connection))
    payloads.compose()
    Delivery.objects.update(tries=len(WAITS))
    assert run() == "deliver_webhooks: 1 failed."
    webhook.refresh_from_db()
    assert webhook.disabled_at


@pytest.mark.django_db(transaction=True)
def test_many_processes_at_once_send_each_message_once(
    register, receiver, connection, grant, at_once
):
    register()
    authorization = grant(connection)
    for _ in range(5):
        stop(authorization)
        mark_recovered(authorization.credential)
    at_once(4, lambda: deliveries.deliver_due(lambda: True))
    ids = [json.loads(body)["id"] for _, body in receiver.received]
    assert len(ids) == len(set(ids)) == 10


def test_it_deletes_old_messages(register, receiver, connection, grant):
    register()
    stop(grant(connection))
    run()
    assert delete_old_deliveries(timedelta(days=30)) == 0
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert delete_old_deliveries(timedelta(days=30)) == 1
