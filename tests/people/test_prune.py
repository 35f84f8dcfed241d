"""``manage.py prune`` deletes expired rows, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.utils import timezone

from connections.authorizations.suspending import RESTORABLE_FOR
from connections.models import Authorization, Credential, Flow, OAuthClient
from console.accounts.models import Membership
from console.audit.models import Event
from console.jobs import retention
from console.people import memberships
from console.transfer.models import UPLOAD_LIFETIME, Upload


@pytest.fixture
def gone_for(rows, membership, super_admin):
    """Deactivate the developer in the past."""

    def go(time: timedelta) -> None:
        memberships.deactivate(membership, super_admin)
        Membership.objects.filter(pk=membership.pk).update(deactivated_at=timezone.now() - time)

    return go


@pytest.fixture
def prune(django_capture_on_commit_callbacks, capsys):
    def run() -> str:
        with django_capture_on_commit_callbacks(execute=True):
            call_command("prune")
        return capsys.readouterr().out

    return run


@pytest.fixture
def client(db) -> OAuthClient:
    return OAuthClient.objects.create(connector_slug="sandbox", client_id="c", client_secret="s")


def asked() -> list[str]:
    """Return the accounts for which revocation was requested; the service is unreachable."""
    events = Event.objects.filter(action="credential.revocation_asked", actor=None)
    return list(events.values_list("object_label", flat=True))


def test_it_revokes_suspended_authorizations_after_30_days(client, gone_for, rows, prune):
    gone_for(RESTORABLE_FOR)

    said = prune()

    assert "1 people whose suspended authorizations were revoked" in said
    assert asked() == ["alice@example.com"]
    assert (rows().state, rows().credential) == (Authorization.State.REVOKED, None)
    assert "not reactivated within 30 days" in rows().reason
    assert not Credential.objects.exists()
    assert Event.objects.filter(action="authorization.revoked", actor=None).count() == 1
    assert "0 people" in prune()


def test_it_keeps_suspended_authorizations_for_30_days(gone_for, rows, prune):
    gone_for(RESTORABLE_FOR - timedelta(minutes=1))

    prune()

    assert rows().state == Authorization.State.SUSPENDED
    assert rows().credential is not None


def test_it_keeps_authorizations_that_a_colleague_replaced(gone_for, rows, prune, colleague):
    gone_for(RESTORABLE_FOR)
    Authorization.objects.update(authorized_by=colleague, state=Authorization.State.ACTIVE)

    prune()

    assert rows().state == Authorization.State.ACTIVE


def test_it_revokes_unused_credentials(client, authorization, prune):
    Authorization.objects.update(credential=None)

    assert "1 unused credentials" in prune()

    assert asked() == ["alice@example.com"]
    assert not Credential.objects.exists()


def test_it_deletes_old_flows_files_and_sessions(
    client, authorization, super_admin, developer, prune
):
    now = timezone.now()
    for number, expires_at in enumerate([now, now - timedelta(days=1, minutes=1)]):
        Flow.objects.create(
            state_hash=str(number) * 64,
            browser_hash="1" * 64,
            user=developer,
            connection=authorization.connection,
            organization=authorization.organization,
            environments=["all"],
            client=client,
            redirect_uri=client.redirect_uri,
            expires_at=expires_at,
        )
    for user, age in ((developer, timedelta()), (super_admin, UPLOAD_LIFETIME)):
        upload = Upload.objects.create(
            user=user, organization=authorization.organization, file_name="f", text="{}"
        )
        Upload.objects.filter(pk=upload.pk).update(created_at=now - age - timedelta(minutes=1))
    for key, ends in (("live", now + timedelta(days=1)), ("dead", now - timedelta(days=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=ends)

    prune()

    assert Flow.objects.get().state_hash == "0" * 64
    assert Upload.objects.get().user == developer
    assert Session.objects.get().session_key == "live"


def test_a_failed_step_does_not_stop_the_others(monkeypatch, caplog, db):
    done = []

    def fails():
        raise RuntimeError("broken")

    monkeypatch.setattr(
        "console.jobs.management.commands.prune.STEPS",
        {"one": fails, "other": lambda: done.append(1)},
    )

    with pytest.raises(CommandError, match="Not pruned, see the log: one"):
        call_command("prune")

    assert done == [1]
    assert "broken" in caplog.text


def test_suspensions_are_pruned_before_unused_credentials():
    steps = list(retention.STEPS.values())
    assert steps.index(memberships.revoke_expired_suspensions) < steps.index(
        retention.revoke_unused_credentials
    )
