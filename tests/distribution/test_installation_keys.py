"""Keys of an installed application are the client's: its super admins make and revoke them."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from console.accounts.authority import NotAllowed
from console.accounts.models import Membership
from console.audit.actions import AuditAction
from console.audit.log import NotRecorded
from console.audit.models import Event
from console.choices import Role
from console.distribution import installing
from console.keys.authentication import _holders, authenticate_key
from console.keys.errors import KeyRefused
from console.keys.issuing import create_key, revoke_key
from console.keys.key_format import PATTERN
from console.keys.models import ApiKey
from console.publishing.models import Installation
from tests.audit.conftest import break_log  # noqa: F401


@pytest.fixture(autouse=True)
def nothing_was_read_lately() -> None:
    cache.clear()
    _holders.clear()


@pytest.fixture
def installation(installed) -> Installation:
    return installed()


@pytest.fixture
def place(installation) -> str:
    return reverse("installation_keys", args=[installation.pk])


@pytest.fixture
def made(installation, boss) -> tuple[ApiKey, str]:
    application, client = installation.application, installation.organization
    return create_key(application, client, "production", boss, "Importer")


@pytest.fixture
def others(member, client_organization, admin, person, developer, super_admin, stranger):
    """Everybody who has something to do with the application, and is no super admin of it."""
    builds = member(client_organization, Role.DEVELOPER, "builds@client.example")
    return [admin, person, builds, developer, super_admin, stranger]


def end_license() -> None:
    Installation.objects.update(ends_at=timezone.now() - timedelta(seconds=1))


def test_it_shows_the_key_once(signed_in, boss, place, client_organization):
    browser = signed_in(boss)
    response = browser.post(place, {"name": "Importer"})
    assert response.status_code == 201
    text = re.search(PATTERN, response.content.decode())[0]
    holder = authenticate_key(text)
    assert (holder.environment, holder.organization_id) == ("production", client_organization.pk)
    assert text.startswith("dc_prod_")
    assert "no-store" in response["Cache-Control"]
    again = browser.get(place).content.decode()
    assert not re.search(PATTERN, again)
    assert ApiKey.objects.get().prefix in again


def test_the_environment_is_not_a_choice(signed_in, boss, place):
    signed_in(boss).post(place, {"name": "Importer", "environment": "development"})
    assert ApiKey.objects.get().environment == "production"


def test_it_asks_for_the_password_and_goes_on(signed_in, boss, place):
    browser = signed_in(boss)
    session = browser.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - 3600
    session.save()
    for sent in ({"name": "X"}, {"name": "X", "environment": "development"}):
        response = browser.post(place, sent)
        assert response.status_code == 302
        assert not ApiKey.objects.exists()
    shown = browser.post(response["Location"], {"password": "pass-word-1"})
    assert shown.status_code == 201
    assert re.search(PATTERN, shown.content.decode())


def test_nobody_else_sees_or_makes_them(signed_in, place, others, made):
    for user in others:
        browser = signed_in(user)
        assert browser.get(place).status_code == 404, user
        assert browser.post(place, {"name": "X"}).status_code == 404, user
    assert ApiKey.objects.count() == 1


def test_nobody_else_ends_them(signed_in, others, made, boss):
    addresses = [
        reverse(name, args=[made[0].pk]) for name in ("key_revoke", "installation_key_revoke")
    ]
    for user in others:
        for address in addresses:
            assert signed_in(user).get(address).status_code == 404, (user, address)
            assert signed_in(user).post(address).status_code == 404, (user, address)
    assert signed_in(boss).post(addresses[0]).status_code == 404
    assert authenticate_key(made[1])


def test_a_key_at_home_is_not_ended_by_the_address_of_clients(
    signed_in, super_admin, application, studio
):
    key, _ = create_key(application, studio, "development", super_admin, "At home")
    address = reverse("installation_key_revoke", args=[key.pk])
    assert signed_in(super_admin).post(address).status_code == 404
    assert ApiKey.objects.get().revoked_at is None


def test_the_developers_page_does_not_list_them(signed_in, super_admin, application, made):
    page = signed_in(super_admin).get(reverse("key_list", args=[application.pk]))
    assert made[0].prefix not in page.content.decode()


def test_it_ends_a_key(signed_in, boss, made, place):
    address = reverse("installation_key_revoke", args=[made[0].pk])
    assert made[0].prefix in signed_in(boss).get(address).content.decode()
    response = signed_in(boss).post(address)
    assert (response.status_code, response["Location"]) == (303, place)
    _holders.clear()
    with pytest.raises(KeyRefused):
        authenticate_key(made[1])


def test_the_clients_chain_alone_tells_of_it(made, boss, client_organization):
    revoke_key(made[0], boss)
    told = Event.objects.filter(
        action__in=[AuditAction.API_KEY_CREATED, AuditAction.API_KEY_REVOKED]
    )
    assert {event.organization_id for event in told} == {client_organization.pk}
    assert {event.actor for event in told} == {boss}
    assert told.count() == 2


def test_two_count_at_a_time(signed_in, boss, made, place):
    browser = signed_in(boss)
    assert browser.post(place, {"name": "X"}).status_code == 201
    response = browser.post(place, {"name": "X"})
    assert response.status_code == 409
    assert "has 2 valid keys in Production" in response.content.decode()


def test_after_the_license_none_is_made(signed_in, boss, made, place):
    end_license()
    browser = signed_in(boss)
    page = browser.get(place).content.decode()
    assert "The license of Field Service has ended" in page
    assert "Create key" not in page
    assert browser.post(place, {"name": "X"}).status_code == 409
    assert ApiKey.objects.count() == 1


def test_who_is_super_admin_no_more_makes_and_ends_none(installation, boss, made):
    Membership.objects.filter(user=boss).update(role=Role.ADMIN)
    application, client = installation.application, installation.organization
    with pytest.raises(NotAllowed):
        create_key(application, client, "production", boss, "X")
    with pytest.raises(NotAllowed):
        revoke_key(made[0], boss)
    assert ApiKey.objects.get().revoked_at is None


def test_uninstalling_ends_them(installation, made, boss, client_organization):
    installing.uninstall(installation, boss)
    _holders.clear()
    with pytest.raises(KeyRefused):
        authenticate_key(made[1])
    key = ApiKey.objects.get()
    assert key.revoked_by == boss
    event = Event.objects.get(action=AuditAction.API_KEY_REVOKED)
    assert (event.organization, event.actor) == (client_organization, boss)


def test_uninstalling_ends_no_others(installation, boss, made, application, studio, super_admin):
    at_home, text = create_key(application, studio, "development", super_admin, "At home")
    installing.uninstall(installation, boss)
    _holders.clear()
    assert authenticate_key(text).key_id == at_home.pk


def test_they_count_on_where_uninstalling_fails(installation, made, boss, break_log):  # noqa: F811
    break_log()
    with pytest.raises(NotRecorded):
        installing.uninstall(installation, boss)
    _holders.clear()
    assert authenticate_key(made[1])
    assert Installation.objects.exists()


def test_the_installations_page_leads_there(signed_in, boss, person, installation, place):
    overview = reverse("installation_detail", args=[installation.pk])
    own = reverse("my_connections", args=[installation.pk])
    for address in (overview, own):
        assert place in signed_in(boss).get(address).content.decode()
        assert place not in signed_in(person).get(address).content.decode()
