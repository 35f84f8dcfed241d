"""Installing: once, by a super admin, with all that the release asks for and nothing more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from connections.models import Authorization, Credential, InstalledConnection
from console.accounts.authority import NotAllowed
from console.audit.models import Event
from console.choices import Role
from console.distribution import installing, sharing
from console.distribution.errors import DistributionError
from console.distribution.models import Share
from console.publishing.models import Installation


def install(offer, by):
    return installing.install(offer, by, seen=str(offer.release.pk))


def test_it_installs_the_shared_release(share, boss, rows_of, client_organization):
    outcome = install(installing.offer_from_share(share()), boss)

    assert outcome.is_new
    installation = Installation.objects.get()
    assert installation.release.number == 1
    assert installation.organization == client_organization
    assert installation.installed_by == boss
    assert installation.ends_at is None
    assert set(rows_of()) == {"crm", "mailbox"}
    assert Share.objects.get().installation == installation


def test_nothing_of_the_developers_comes_along(crm, grant, share, boss, client_organization):
    grant(crm)
    install(installing.offer_from_share(share()), boss)
    assert not Authorization.objects.filter(organization=client_organization).exists()
    assert not Credential.objects.filter(organization=client_organization).exists()


def test_both_organizations_are_told_in_their_logs(installed, boss, studio, client_organization):
    installed()
    for organization in (studio, client_organization):
        event = Event.objects.get(organization=organization, action="installation.created")
        assert event.actor == boss
        assert event.details["client"] == "Client"


def test_a_trial_begins_with_the_installation(share, boss, rows_of):
    row = share("trial_15")
    assert row.ends_at is None
    installation = install(installing.offer_from_share(row), boss).installation
    rest = installation.ends_at - timezone.now()
    assert timedelta(days=14, hours=23) < rest <= timedelta(days=15)
    assert {each.ends_at for each in rows_of().values()} == {installation.ends_at}


def test_a_trial_does_not_begin_anew(installed, boss):
    installation = installed("trial_15")
    Share.objects.update(started_at=timezone.now() - timedelta(days=10))
    installing.uninstall(installation, boss)
    again = install(installing.offer_from_share(Share.objects.get()), boss).installation
    assert again.ends_at - timezone.now() <= timedelta(days=5)


def test_a_trial_that_has_ended_is_not_installed(installed, boss):
    installation = installed("trial_15")
    installing.uninstall(installation, boss)
    Share.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(DistributionError, match="has ended"):
        install(installing.offer_from_share(Share.objects.get()), boss)
    assert not Installation.objects.exists()


def test_what_was_withdrawn_is_not_installed(share, boss, super_admin):
    row = share()
    offer = installing.offer_from_share(row)
    sharing.withdraw(row, super_admin)
    with pytest.raises(DistributionError, match="withdrawn"):
        install(offer, boss)


def test_another_release_than_the_person_saw_is_not_installed(
    share, boss, change, crm, publish, super_admin
):
    row = share()
    offer = installing.offer_from_share(row)
    change(crm)
    sharing.send_update(row, publish(), super_admin)
    with pytest.raises(DistributionError, match="A different release"):
        install(offer, boss)
    assert not InstalledConnection.objects.exists()


@pytest.mark.parametrize("role", [Role.ADMIN, Role.DEVELOPER, Role.USER])
def test_nobody_but_a_super_admin_installs(role, share, member, client_organization):
    other = member(client_organization, role, "other@client.example")
    with pytest.raises(NotAllowed):
        install(installing.offer_from_share(share()), other)
    assert not Installation.objects.exists()


def test_an_organization_does_not_install_its_own(listing, studio, super_admin):
    with pytest.raises(DistributionError, match="builds Field Service, so it cannot install it"):
        install(installing.offer_from_listing(listing, studio), super_admin)


def test_what_left_the_marketplace_is_not_installed(listing, client_organization, boss):
    offer = installing.offer_from_listing(listing, client_organization)
    type(listing).objects.update(state="withdrawn")
    with pytest.raises(DistributionError, match="no longer in the marketplace"):
        install(offer, boss)


def test_the_marketplace_gives_a_subscription_without_end(listing, client_organization, boss):
    offer = installing.offer_from_listing(listing, client_organization)
    assert install(offer, boss).installation.ends_at is None


@pytest.mark.django_db(transaction=True)
def test_two_who_press_at_once_install_once(share, boss, at_once):
    offer = installing.offer_from_share(share())
    outcomes = at_once(6, lambda: install(offer, boss))
    assert sum(outcome.is_new for outcome in outcomes) == 1
    assert Installation.objects.count() == 1
    assert InstalledConnection.objects.count() == 2
    assert Event.objects.filter(action="installation.created").count() == 2


def test_each_person_is_told_what_waits_for_him(
    share, boss, admin, person, member, client_organization, django_capture_on_commit_callbacks
):
    member(client_organization, Role.DEVELOPER, "dev@client.example")
    offer = installing.offer_from_share(share())
    with django_capture_on_commit_callbacks(execute=True):
        install(offer, boss)
    told = {message.to[0]: message.body for message in mail.outbox}
    assert set(told) == {boss.email, admin.email, person.email, "dev@client.example"}
    assert "You have 2 connections to authorize, 1 of them" in told[admin.email]
    assert "You have 1 connection to authorize" in told[person.email]
    assert all(len(message.to) == 1 for message in mail.outbox)


def test_users_get_no_mail_where_nothing_waits_for_them(
    crm,
    build,
    publish,
    application,
    client_organization,
    super_admin,
    boss,
    person,
    django_capture_on_commit_callbacks,
):
    build("Find people", crm)
    row = sharing.share(application, client_organization, publish(), "subscription", super_admin)
    with django_capture_on_commit_callbacks(execute=True):
        install(installing.offer_from_share(row), boss)
    assert person.email not in {message.to[0] for message in mail.outbox}


def test_uninstalling_takes_all_of_it_away(
    installed, boss, person, crm, mailbox, authorized, client_organization
):
    installation = installed()
    authorized(crm, boss)
    authorized(mailbox, person, own=True)

    sentences = installing.uninstall(installation, boss)

    assert len(sentences) == 2
    assert all("erased here" in each for each in sentences)
    for model in (Installation, InstalledConnection):
        assert not model.objects.exists()
    assert not Authorization.objects.filter(organization=client_organization).exists()
    assert not Credential.objects.filter(organization=client_organization).exists()
    acts = Event.objects.filter(organization=client_organization).values_list("action", flat=True)
    assert sorted(acts)[:2] == ["authorization.revoked", "authorization.revoked"]
    assert "installation.removed" in acts


def test_uninstalling_leaves_the_developers_theirs(installed, boss, crm, grant):
    grant(crm)
    installing.uninstall(installed(), boss)
    assert Authorization.objects.get().connection == crm


def test_a_second_uninstallation_says_so(installed, boss):
    installation = installed()
    again = Installation.objects.select_related("application", "organization").get()
    installing.uninstall(installation, boss)
    with pytest.raises(DistributionError, match="no longer installed here"):
        installing.uninstall(again, boss)
