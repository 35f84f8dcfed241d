"""Install and uninstall: once, by a super admin, without any authorization."""

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
    result = install(installing.offer_from_share(share()), boss)

    assert result.is_new
    installation = Installation.objects.get()
    assert installation.release.number == 1
    assert installation.organization == client_organization
    assert installation.installed_by == boss
    assert installation.ends_at is None
    assert set(rows_of()) == {"crm", "mailbox"}
    assert Share.objects.get().installation == installation


def test_authorizations_of_the_developers_are_not_copied(
    crm, grant, share, boss, client_organization
):
    grant(crm)
    install(installing.offer_from_share(share()), boss)
    assert not Authorization.objects.filter(organization=client_organization).exists()
    assert not Credential.objects.filter(organization=client_organization).exists()


def test_it_is_recorded_in_the_logs_of_both_organizations(
    installed, boss, studio, client_organization
):
    installed()
    for organization in (studio, client_organization):
        event = Event.objects.get(organization=organization, action="installation.created")
        assert event.actor == boss
        assert event.details["client"] == "Client"


def test_a_trial_starts_with_the_installation(share, boss, rows_of):
    row = share("trial_15")
    assert row.ends_at is None
    installation = install(installing.offer_from_share(row), boss).installation
    rest = installation.ends_at - timezone.now()
    assert timedelta(days=14, hours=23) < rest <= timedelta(days=15)
    assert {each.ends_at for each in rows_of().values()} == {installation.ends_at}


def test_a_trial_does_not_start_again(installed, boss):
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


def test_it_refuses_a_withdrawn_share(share, boss, super_admin):
    row = share()
    offer = installing.offer_from_share(row)
    sharing.withdraw(row, super_admin)
    with pytest.raises(DistributionError, match="withdrawn"):
        install(offer, boss)


def test_it_refuses_a_release_that_the_person_did_not_see(
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
def test_only_a_super_admin_can_install(role, share, member, client_organization):
    other = member(client_organization, role, "other@client.example")
    with pytest.raises(NotAllowed):
        install(installing.offer_from_share(share()), other)
    assert not Installation.objects.exists()


def test_an_organization_cannot_install_its_own_application(listing, studio, super_admin):
    with pytest.raises(DistributionError, match="builds Field Service, so it cannot install it"):
        install(installing.offer_from_listing(listing, studio), super_admin)


def test_it_refuses_a_withdrawn_listing(listing, client_organization, boss):
    offer = installing.offer_from_listing(listing, client_organization)
    type(listing).objects.update(state="withdrawn")
    with pytest.raises(DistributionError, match="no longer in the marketplace"):
        install(offer, boss)


def test_a_listing_gives_a_subscription_without_end(listing, client_organization, boss):
    offer = installing.offer_from_listing(listing, client_organization)
    assert install(offer, boss).installation.ends_at is None


@pytest.mark.django_db(transaction=True)
def test_simultaneous_requests_install_once(share, boss, at_once):
    offer = installing.offer_from_share(share())
    results = at_once(6, lambda: install(offer, boss))
    assert sum(result.is_new for result in results) == 1
    assert Installation.objects.count() == 1
    assert InstalledConnection.objects.count() == 2
    assert Event.objects.filter(action="installation.created").count() == 2


def test_each_person_gets_a_mail_with_what_to_authorize(
    share, boss, admin, person, member, client_organization, django_capture_on_commit_callbacks
):
    member(client_organization, Role.DEVELOPER, "dev@client.example")
    offer = installing.offer_from_share(share())
    with django_capture_on_commit_callbacks(execute=True):
        install(offer, boss)
    bodies = {message.to[0]: message.body for message in mail.outbox}
    assert set(bodies) == {boss.email, admin.email, person.email, "dev@client.example"}
    assert "You have 2 connections to authorize, 1 of them" in bodies[admin.email]
    assert "You have 1 connection to authorize" in bodies[person.email]
    assert all(len(message.to) == 1 for message in mail.outbox)


def test_users_get_no_mail_if_they_have_nothing_to_authorize(
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


def test_uninstalling_deletes_connections_and_authorizations(
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
    actions = Event.objects.filter(organization=client_organization).values_list(
        "action", flat=True
    )
    assert sorted(actions)[:2] == ["authorization.revoked", "authorization.revoked"]
    assert "installation.removed" in actions


def test_uninstalling_keeps_authorizations_of_the_developers(installed, boss, crm, grant):
    grant(crm)
    installing.uninstall(installed(), boss)
    assert Authorization.objects.get().connection == crm


def test_uninstalling_twice_is_refused(installed, boss):
    installation = installed()
    again = Installation.objects.select_related("application", "organization").get()
    installing.uninstall(installation, boss)
    with pytest.raises(DistributionError, match="no longer installed here"):
        installing.uninstall(again, boss)
