"""Home shows to each role what waits for them, what happened, and where to go next."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from connections.authorizations.state_changes import mark_ended
from connections.models import Authorization, OAuthClient
from console.accounts.models import Membership, Organization, User
from console.applications.models import Application
from console.choices import Role
from console.distribution.models import Listing, Share
from console.health.models import UnreadableSecret
from console.inviting.models import Invitation
from console.invocations.equal_calls import count_equal
from console.invocations.hourly_counts import count
from console.publishing.manifest import ComponentSnapshot, Manifest
from console.publishing.models import Installation, Release, Stage
from tests.connections.flow_steps import words_of
from tests.invocations.lines import call_line

URL = reverse("home")


def home(client) -> str:
    return words_of(client.get(URL)).replace("\xa0", " ")


def called(connection, number: int = 1, *, status: int = 200, **fields) -> None:
    """Write calls into the hourly counts."""
    line = call_line(connection, status=status, **{"milliseconds": 30, **fields})
    with transaction.atomic():
        count(dict.fromkeys(count_equal([line]), number))


# Developers


def test_without_anything_it_shows_the_first_steps(developer_client):
    page = home(developer_client)
    assert "Connect your first service" in page
    assert [step.done for step in _steps(developer_client)] == [True, False, False]
    assert "Choose a service" in page


def test_the_next_step_is_to_authorize_the_newest_connection(developer_client, connect):
    connection = connect(name="Leads")
    page = developer_client.get(URL)
    assert [step.done for step in _steps(developer_client)] == [True, True, False]
    place = reverse("connection_authorize", args=[connection.pk])
    assert f'href="{place}?environment=all"' in page.content.decode()


def test_the_first_steps_end_with_a_connection_that_works(developer_client, connect, grant):
    grant(connect(name="Leads"))
    assert _steps(developer_client) == []
    assert "Connect your first service" not in home(developer_client)


def test_developers_do_not_create_the_application(signed_in, member, studio):
    page = home(signed_in(member(studio, Role.DEVELOPER)))
    assert "A super admin of your organization creates applications." in page


def _steps(client) -> list:
    return client.get(URL).context["dashboard"].checklist


def test_it_shows_the_three_newest_connections_and_no_drafts(developer_client, connect):
    for number in range(4):
        connect(name=f"Number {number}")
    connect("slack", name="A draft", status="draft")
    page = home(developer_client)
    assert [f"Number {n}" in page for n in range(4)] == [False, True, True, True]
    assert "A draft" not in page


def test_broken_and_expiring_connections_have_a_button(developer_client, connect, grant):
    broken, expiring = connect(name="Broken"), connect("slack", name="Expiring")
    mark_ended(grant(broken).credential, Authorization.State.NEEDS_AUTHORIZATION, "It says no.")
    grant(expiring, ends_at=timezone.now() + timedelta(days=2, hours=1))
    response = developer_client.get(URL)
    page = words_of(response).replace("\xa0", " ")
    assert "Broken Not authorized" in page and "It says no." in page
    assert "Expiring Expires in 2 days" in page
    for connection in (broken, expiring):
        place = reverse("connection_authorize", args=[connection.pk])
        assert f'href="{place}?environment=all"' in response.content.decode()


def test_connections_without_authorization_are_one_press_away(developer_client, connect, grant):
    place = f"{reverse('connection_list')}?status=needs_authorization"
    assert place not in developer_client.get(URL).content.decode()
    connect(name="Leads")
    assert "Waiting for you" not in home(developer_client)  # the first steps say what to do
    grant(connect(name="Works"))
    assert f'href="{place}"' in developer_client.get(URL).content.decode()
    assert "Leads" in words_of(developer_client.get(place))


def test_it_plots_the_calls_and_names_the_connection_with_errors(developer_client, connect, grant):
    connection = connect(name="Leads")
    grant(connection)
    called(connection, 5)
    called(connection, 2, status=500)
    called(connection, at=timezone.now() - timedelta(days=8))
    response = developer_client.get(URL)
    page = words_of(response)
    assert response.context["dashboard"].calls.chart.calls == 7
    assert "Calls in the last 7 days" in page and "2 errors" in page
    assert "Show as a table" in page
    assert reverse("connection_calls", args=[connection.pk]) in response.content.decode()


def test_it_counts_no_calls_of_others(developer_client, connect, stranger_organization):
    connection = connect()
    called(connection, organization_id=stranger_organization.pk, environment="production")
    assert developer_client.get(URL).context["dashboard"].calls.chart.calls == 0


@pytest.mark.parametrize("may", [True, False])
def test_it_counts_what_is_not_published(developer_client, application, build, request, may):
    if may:
        request.getfixturevalue("may_publish")
    build("Old")
    release = Release.objects.create(
        application=application,
        number=1,
        content=Manifest().text,
        created_by=User.objects.first(),
    )
    Stage.objects.create(application=application, release=release)
    build("New")
    response = developer_client.get(URL)
    assert "1 component edited since release 1" in words_of(response)
    publish = reverse("publish", args=[application.pk])
    assert (f'href="{publish}"' in response.content.decode()) == may


def test_it_shows_recent_activity(developer_client, build):
    build("Find people")
    page = home(developer_client)
    assert "Recent activity" in page and "Find people" in page


def test_the_number_of_queries_does_not_grow(
    developer_client, connect, grant, build, django_assert_max_num_queries
):
    def more(number: int) -> None:
        for n in range(number):
            connection = connect(name=f"{number}-{n}", link_name=f"c{number}_{n}")
            called(connection, status=500)
            authorization = grant(connection)
            mark_ended(authorization.credential, Authorization.State.UNKNOWN_OUTCOME, "Lost.")
            build(f"Find {number} {n}", connection)

    more(2)
    developer_client.get(URL)
    with django_assert_max_num_queries(13) as few:
        developer_client.get(URL)
    more(8)
    with django_assert_max_num_queries(len(few)):
        developer_client.get(URL)


# Super admins


def test_super_admins_see_people_clients_and_licenses(
    signed_in, super_admin, developer, application, studio, client_organization
):
    Invitation.objects.create(
        organization=studio,
        email="new@studio.example",
        role=Role.DEVELOPER,
        token_hash="1" * 64,
        expires_at=timezone.now() + timedelta(days=3),
    )
    Invitation.objects.create(
        organization=studio,
        email="boss@client.example",
        token_hash="2" * 64,
        expires_at=timezone.now(),
        accepted_at=timezone.now(),
        client=client_organization,
    )
    release = Release.objects.create(
        application=application, number=1, content=Manifest().text, created_by=developer
    )
    Share.objects.create(
        application=application,
        client=client_organization,
        release=release,
        license="subscription",
        ends_at=timezone.now() + timedelta(days=10),
    )
    response = signed_in(super_admin).get(URL)
    tiles = {tile.label: tile.value for tile in response.context["dashboard"].tiles}
    assert tiles == {
        "People": 2,
        "Without a second factor": 2,
        "Open invitations": 1,
        "Clients": 1,
        "Licenses that end within 30 days": 1,
    }
    assert all(tile.url for tile in response.context["dashboard"].tiles)


def test_super_admins_see_the_services_that_need_an_oauth_client(
    signed_in, super_admin, connect, studio
):
    connect("slack", name="Team")
    connect("slack", name="Other team")
    connect("twilio", name="Messages")
    browser = signed_in(super_admin)
    assert "Slack needs an OAuth client 2 connections wait for it." in home(browser)
    OAuthClient.objects.create(connector_slug="slack", organization=studio, client_id="c")
    assert "needs an OAuth client" not in home(browser)


def test_developers_see_no_numbers_of_people(developer_client):
    assert developer_client.get(URL).context["dashboard"].tiles == []


# Clients and their users


@pytest.fixture
def parts(stranger_organization, stranger) -> Application:
    """An application of another organization, with two releases."""
    made = Application.objects.create(
        organization=stranger_organization, name="Parts", link_name="parts"
    )
    for number in (1, 2):
        Release.objects.create(
            application=made, number=number, content=Manifest().text, created_by=stranger
        )
    return made


def share(application, client, number=2, **fields) -> Share:
    release = application.releases.get(number=number)
    return Share.objects.create(
        application=application, client=client, release=release, license="subscription", **fields
    )


def installation(application, client) -> Installation:
    return Installation.objects.create(
        application=application, organization=client, release=application.releases.get(number=1)
    )


def test_clients_can_install_what_was_shared(signed_in, client_people, client_organization, parts):
    offer = share(parts, client_organization)
    boss = signed_in(client_people[Role.SUPER_ADMIN])
    assert f'href="{reverse("share_install", args=[offer.pk])}"' in boss.get(URL).content.decode()
    for role in (Role.ADMIN, Role.USER):
        page = signed_in(client_people[role]).get(URL).content.decode()
        assert reverse("share_install", args=[offer.pk]) not in page


def test_clients_can_update(signed_in, client_people, client_organization, parts):
    installed = installation(parts, client_organization)
    share(parts, client_organization, installation=installed)
    response = signed_in(client_people[Role.SUPER_ADMIN]).get(URL)
    assert "Release 2 is available; Release 1 is installed." in words_of(response)
    assert reverse("installation_update", args=[installed.pk]) in response.content.decode()
    assert "is available" not in home(signed_in(client_people[Role.ADMIN]))


def test_clients_authorize_what_waits_for_them(
    signed_in, client_people, client_organization, parts, connect, install
):
    installed = installation(parts, client_organization)
    shared = install(connect(name="CRM", application=parts))
    own = install(connect(name="Mail", application=parts, level="logged_in_user"))
    expected = {Role.SUPER_ADMIN: {shared, own}, Role.ADMIN: {shared, own}, Role.USER: {own}}
    for role, rows in expected.items():
        page = signed_in(client_people[role]).get(URL).content.decode()
        for row in (shared, own):
            place = reverse("installed_authorize", args=[row.pk])
            assert (f'href="{place}"' in page) == (row in rows), role
        assert 'href=""' not in page
        assert f'href="{reverse("installation_detail", args=[installed.pk])}"' in page


def test_users_run_from_home(signed_in, client_people, client_organization, parts, stranger):
    content = Manifest(
        components={
            "find": ComponentSnapshot(
                kind="function", name="Find parts", link_name="find", definition={"calls": []}
            )
        }
    )
    Release.objects.create(application=parts, number=3, content=content.text, created_by=stranger)
    installed = Installation.objects.create(
        application=parts,
        organization=client_organization,
        release=parts.releases.get(number=3),
    )
    link = reverse("installation_run", args=[installed.pk, "find"])
    for role, runs in {Role.USER: True, Role.SUPER_ADMIN: False}.items():
        page = signed_in(client_people[role]).get(URL).content.decode()
        assert (f'href="{link}">Run Find parts</a>' in page) == runs


def test_super_admins_share_what_is_published(
    signed_in, client_people, client_organization, parts, stranger_organization, member
):
    chief = member(stranger_organization, Role.SUPER_ADMIN)
    Stage.objects.create(application=parts, release=parts.releases.get(number=1))
    place = f"{reverse('share_create', args=[parts.pk])}?client={client_organization.pk}"
    assert place not in signed_in(chief).get(URL).content.decode()  # not a client yet
    Invitation.objects.create(
        organization=stranger_organization,
        client=client_organization,
        email="boss@client.example",
        token_hash="x" * 64,
        expires_at=timezone.now(),
        accepted_at=timezone.now(),
        accepted_by=client_people[Role.SUPER_ADMIN],
    )
    assert place in signed_in(chief).get(URL).content.decode()
    share(parts, client_organization)
    assert place not in signed_in(chief).get(URL).content.decode()


@pytest.mark.parametrize("role", [Role.SUPER_ADMIN, Role.ADMIN, Role.USER])
def test_clients_without_anything_have_a_next_step(signed_in, client_people, role):
    page = signed_in(client_people[role]).get(URL).content.decode()
    assert f'href="{reverse("marketplace")}"' in page


@pytest.mark.parametrize("role", [Role.ADMIN, Role.USER])
def test_people_who_cannot_manage_connections_see_no_link_to_them(
    member, studio, signed_in, connect, role
):
    connect(name="Leads")
    page = signed_in(member(studio, role)).get(URL).content.decode()
    assert "Leads" not in page
    assert reverse("connection_list") not in page
    assert reverse("admin:index") not in page


# Operators and people without an organization


def test_operators_see_reviews_queues_and_unreadable_secrets(signed_in, operator, parts):
    words = {"title": "Parts", "summary": "x", "description": "x", "help_url": "https://x.y"}
    Listing.objects.create(
        application=parts,
        release=parts.releases.get(number=1),
        state=Listing.State.SUBMITTED,
        **words,
    )
    UnreadableSecret.objects.create(
        model="connections.oauthclient", row="1", field="client_secret", what="A secret of Zoho"
    )
    response = signed_in(operator).get(URL)
    page = words_of(response)
    tiles = {tile.label: tile.value for tile in response.context["dashboard"].tiles}
    assert tiles["Listings to review"] == 1
    assert tiles["Webhook messages waiting"] == 0
    assert "A secret of Zoho Cannot be read" in page
    assert reverse("review_list") in response.content.decode()


def test_people_without_an_organization_have_a_next_step(signed_in, db):
    nobody = User.objects.create_user("nobody@test.example", "pass-word-1")
    page = signed_in(nobody).get(URL).content.decode()
    assert "You belong to no organization yet" in page
    assert f'href="{reverse("marketplace")}"' in page


def test_deactivated_people_learn_why_nothing_is_shown(signed_in, member, studio):
    user = member(studio, Role.DEVELOPER)
    Membership.objects.filter(user=user).update(deactivated_at=timezone.now())
    assert "You cannot use Studio since" in home(signed_in(user))


def test_super_admins_and_operators_see_the_link_to_administration(
    super_admin, operator, signed_in
):
    for user in (super_admin, operator):
        assert reverse("admin:index") in signed_in(user).get(URL).content.decode()


def test_each_organization_has_a_home_of_its_own(signed_in, developer, member, connect, grant):
    other = Organization.objects.create(name="Other", slug="other")
    Membership.objects.create(user=developer, organization=other, role=Role.DEVELOPER)
    mark_ended(
        grant(connect(name="Broken")).credential, Authorization.State.NEEDS_AUTHORIZATION, "No."
    )
    browser = signed_in(developer)
    assert "Broken" in words_of(browser.get("/o/studio/"))
    assert "Broken" not in words_of(browser.get("/o/other/"))
