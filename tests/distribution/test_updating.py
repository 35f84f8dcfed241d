"""Update an installation or skip the update; valid authorizations stay."""

from __future__ import annotations

import pytest
from django.utils import timezone

from connections.authorizations.connection_state import installed_connection_states
from connections.models import Authorization, Connection, Flow, InstalledConnection, OAuthClient
from console.accounts.authority import NotAllowed
from console.choices import Level
from console.distribution import installing, sharing, updating
from console.distribution.errors import DistributionError
from console.distribution.models import Listing, Share
from console.distribution.requirements import component_counts, requirement_changes
from console.publishing.models import Installation


@pytest.fixture
def send_update(publish, super_admin):
    """Publish Development and offer the release to the client."""

    def do(note: str = ""):
        release = publish(note)
        sharing.send_update(Share.objects.get(), release, super_admin)
        return release

    return do


def fresh() -> Installation:
    return Installation.objects.select_related(
        "application__organization", "organization", "release"
    ).get()


def update(by):
    installation = fresh()
    seen = updating.newer_releases([installation])[installation.pk]
    return updating.update(installation, by, seen=str(seen.pk))


def test_a_newer_release_is_offered_but_not_installed_automatically(
    installed, change, crm, send_update
):
    installation = installed()
    change(crm)
    release = send_update()
    assert updating.newer_releases([installation]) == {installation.pk: release}
    assert fresh().release.number == 1


def test_authorizations_stay_valid(
    installed, boss, crm, authorized, change, mailbox, send_update, rows_of, client_organization
):
    installed()
    given, key = authorized(crm, boss), rows_of()["crm"].pk
    change(mailbox, crm)
    send_update()

    assert update(boss) == []

    row = rows_of()["crm"]
    assert (row.pk, row.number) == (key, 2)
    assert Authorization.objects.get(pk=given.pk).credential == given.credential
    assert installed_connection_states([row], client_organization.pk, boss)[row.pk].works


def test_a_new_permission_is_missing_until_reauthorization(
    installed, boss, crm, authorized, send_update, rows_of, client_organization
):
    installed()
    authorized(crm, boss)
    Connection.objects.filter(pk=crm.pk).update(scopes=["contacts.read", "contacts.write"])
    send_update()
    update(boss)
    row = rows_of()["crm"]
    state = installed_connection_states([row], client_organization.pk, boss)[row.pk]
    assert state.name == "permissions_missing"
    assert state.missing == ("contacts.write",)


def test_authorizations_of_removed_connections_are_revoked(
    installed, boss, person, crm, mailbox, authorized, change, send_update, rows_of
):
    installed()
    authorized(crm, boss)
    authorized(mailbox, person, own=True)
    change(crm)
    send_update()

    (sentence,) = update(boss)

    assert sentence.startswith("account of person@client.example:")
    assert set(rows_of()) == {"crm"}
    assert [each.connection for each in Authorization.objects.all()] == [crm]


def test_a_new_level_ends_authorizations(installed, boss, crm, authorized, send_update, rows_of):
    installed()
    authorized(crm, boss)
    key = rows_of()["crm"].pk
    Connection.objects.filter(pk=crm.pk).update(level=Level.LOGGED_IN_USER)
    send_update()
    update(boss)
    assert rows_of()["crm"].pk == key
    assert rows_of()["crm"].snapshot.level == Level.LOGGED_IN_USER
    assert not Authorization.objects.exists()


def test_flows_of_removed_connections_end(
    installed, boss, mailbox, crm, change, send_update, client_organization
):
    installed()
    client = OAuthClient.objects.create(connector_slug="sandbox", client_id="c", client_secret="s")
    flow = Flow.objects.create(
        state_hash="0" * 64,
        browser_hash="1" * 64,
        user=boss,
        connection=mailbox,
        organization=client_organization,
        environments=["production"],
        client=client,
        redirect_uri=client.redirect_uri,
        expires_at=timezone.now(),
    )
    change(crm)
    send_update()
    update(boss)
    flow.refresh_from_db()
    assert flow.outcome == Flow.Outcome.FAILED
    assert "updated Field Service" in flow.problem


def test_skipping_keeps_the_release_and_is_remembered(
    installed, boss, change, crm, send_update, rows_of
):
    installed()
    change(crm)
    release = send_update()
    updating.skip(fresh(), boss, seen=str(release.pk))
    installation = fresh()
    assert (installation.release.number, installation.skipped_release) == (1, release)
    assert set(rows_of()) == {"crm", "mailbox"}
    update(boss)
    assert fresh().release == release
    assert fresh().skipped_release is None


def test_it_refuses_a_release_that_the_person_did_not_see(
    installed, boss, change, crm, mailbox, send_update
):
    installed()
    change(crm)
    seen = send_update()
    change(mailbox)
    send_update()
    with pytest.raises(DistributionError, match="offered since this page was shown"):
        updating.update(fresh(), boss, seen=str(seen.pk))
    assert fresh().release.number == 1


def test_only_a_super_admin_can_update(installed, admin, change, crm, send_update):
    installed()
    change(crm)
    send_update()
    with pytest.raises(NotAllowed):
        update(admin)
    assert fresh().release.number == 1


def test_it_refuses_after_the_license_has_ended(installed, boss, change, crm, send_update):
    installed()
    change(crm)
    release = send_update()
    Installation.objects.update(ends_at=timezone.now())
    with pytest.raises(DistributionError, match="license"):
        updating.update(fresh(), boss, seen=str(release.pk))


def test_a_withdrawn_share_offers_no_update(installed, super_admin, change, crm, send_update):
    installation = installed()
    change(crm)
    send_update()
    sharing.withdraw(Share.objects.get(), super_admin)
    assert updating.newer_releases([installation]) == {}


@pytest.mark.django_db(transaction=True)
def test_simultaneous_updates_run_once(installed, boss, change, crm, send_update, at_once):
    installed()
    change(crm)
    release = send_update()
    installation = fresh()

    def press():
        try:
            return updating.update(installation, boss, seen=str(release.pk))
        except DistributionError as refused:
            return str(refused)

    outcomes = at_once(4, press)
    assert outcomes.count([]) == 1
    assert InstalledConnection.objects.count() == 1


def test_a_listing_offers_updates_of_its_installations(
    listing, client_organization, boss, change, crm, publish
):
    offer = installing.offer_from_listing(listing, client_organization)
    installation = installing.install(offer, boss, seen=str(listing.release_id)).installation
    change(crm)
    Listing.objects.update(release=publish())
    assert updating.newer_releases([installation])[installation.pk].number == 2


def test_changes_are_described_in_words(first, crm, mailbox, change, connect, publish):
    Connection.objects.filter(pk=crm.pk).update(
        scopes=["contacts.write"], name="Customers", level=Level.LOGGED_IN_USER
    )
    crm.refresh_from_db()
    change(crm, connect("twilio", name="Messages", link_name="messages"))
    after = publish().manifest

    found = {
        each.requirement.snapshot.link_name: each
        for each in requirement_changes(first.manifest, after)
    }

    assert [permission.scope for permission in found["crm"].added] == ["contacts.write"]
    assert [permission.scope for permission in found["crm"].removed] == ["contacts.read"]
    assert found["crm"].added[0].sentence
    assert "Renamed from CRM." in found["crm"].sentences
    assert found["crm"].needs_new_authorization
    assert found["messages"].status == "added"
    assert found["mailbox"].status == "deleted"
    assert component_counts(first.manifest, after) == ["1 function modified"]


def test_changes_for_developers_only_are_left_out(first, crm, publish):
    Connection.objects.filter(pk=crm.pk).update(separate_environments=True)
    assert requirement_changes(first.manifest, publish().manifest) == []
