"""Share an application, send updates, change the license and withdraw it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from connections.models import InstalledConnection
from console.accounts.authority import NotAllowed
from console.distribution import installing, sharing
from console.distribution.errors import DistributionError
from console.distribution.models import Share
from console.publishing.models import Installation


def test_the_clients_super_admins_get_the_link(
    share, boss, admin, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        row = share()
    (message,) = mail.outbox
    assert message.to == [boss.email]
    assert f"http://console.test/installed/shared/{row.pk}/" in message.body


def test_it_works_if_mail_cannot_be_sent(
    share, settings, caplog, django_capture_on_commit_callbacks
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with django_capture_on_commit_callbacks(execute=True):
        share()
    assert Share.objects.exists()
    assert "did not accept the mail distribution/email/shared." in caplog.text


def test_it_refuses_to_share_twice(share):
    share()
    with pytest.raises(DistributionError, match="already shared with Client"):
        share()


def test_it_refuses_organizations_that_are_not_clients(
    application, stranger_organization, first, super_admin
):
    with pytest.raises(DistributionError, match="not a client of Studio yet"):
        sharing.share(application, stranger_organization, first, "subscription", super_admin)


def test_it_refuses_clients_that_installed_from_the_marketplace(
    share, listing, client_organization, boss
):
    offer = installing.offer_from_listing(listing, client_organization)
    installing.install(offer, boss, seen=str(offer.release.pk))
    with pytest.raises(
        DistributionError, match="already installed Field Service from the marketplace"
    ):
        share()


def test_a_developer_with_the_right_can_only_send_updates(
    installed, developer, may_distribute, change, crm, publish
):
    installed()
    row = Share.objects.get()
    change(crm)
    release = publish()
    assert sharing.send_update(row, release, developer).release == release
    with pytest.raises(NotAllowed):
        sharing.change_license(row, "trial_15", developer, ends_at=None)
    with pytest.raises(NotAllowed):
        sharing.withdraw(row, developer)


def test_a_developer_without_the_right_cannot_send_updates(share, developer, change, crm, publish):
    row = share()
    change(crm)
    with pytest.raises(NotAllowed):
        sharing.send_update(row, publish(), developer)


def test_it_refuses_an_older_release(share, first, super_admin, change, crm, publish):
    row = share()
    change(crm)
    sharing.send_update(row, publish(), super_admin)
    with pytest.raises(DistributionError, match="choose a newer one"):
        sharing.send_update(row, first, super_admin)


def test_withdrawing_ends_access_at_once_and_deletes_nothing(
    installed, super_admin, authorized, crm
):
    installation = installed()
    authorized(crm, super_admin)
    assert InstalledConnection.objects.live().count() == 2

    sharing.withdraw(Share.objects.get(), super_admin)

    installation.refresh_from_db()
    assert installation.has_ended
    assert not InstalledConnection.objects.live().exists()
    assert InstalledConnection.objects.count() == 2


def test_sharing_again_restores_access(installed, share, super_admin):
    installed()
    sharing.withdraw(Share.objects.get(), super_admin)
    share()
    assert not Installation.objects.get().has_ended
    assert InstalledConnection.objects.live().count() == 2


def test_extending_an_ended_license_restores_access(installed, super_admin):
    installed("trial_15")
    started = timezone.now() - timedelta(days=20)
    row = Share.objects.get()
    row.started_at, row.ends_at = started, started + timedelta(days=15)
    row.save()
    InstalledConnection.objects.update(ends_at=row.ends_at)
    assert not InstalledConnection.objects.live().exists()

    sharing.change_license(row, "trial_30", super_admin, ends_at=None)

    assert Installation.objects.get().ends_at == started + timedelta(days=30)
    assert InstalledConnection.objects.live().count() == 2
    sharing.change_license(row, "subscription", super_admin, ends_at=None)
    assert Installation.objects.get().ends_at is None
