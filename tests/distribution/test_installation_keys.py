"""API keys of an installed application: super admins of the client create and revoke them."""

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
def clear_caches() -> None:
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
    """People who know the application but are not super admins of the client."""
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


def test_the_environment_is_always_production(signed_in, boss, place):
    signed_in(boss).post(place, {"name": "Importer", "environment": "development"})
    assert ApiKey.objects.get().environment == "production"


def test_it_asks_for_the_password_first(signed_in, boss, place):
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


def test_only_super_admins_of_the_client_see_or_create_them(signed_in, place, others, made):
    for user in others:
        browser = signed_in(user)
        assert browser.get(place).status_code == 404, user
        assert browser.post(place, {"name": "X"}).status_code == 404, user
    assert ApiKey.objects.count() == 1


def test_only_super_admins_of_the_client_revoke_them(signed_in, others, made, boss):
    addresses = [
        reverse(name, args=[made[0].pk]) for name in ("key_revoke", "installation_key_revoke")
    ]
    for user in others:
        for address in addresses:
            assert signed_in(user).get(address).status_code == 404, (user, address)
            assert signed_in(user).post(address).status_code == 404, (user, address)
    assert signed_in(boss).post(addresses[0]).status_code == 404
    assert authenticate_key(made[1])


def test_a_key_of_the_developers_cannot_be_revoked_by_this_url(
    signed_in, super_admin, application, studio
):
    key, _ = create_key(application, studio, "development", super_admin, "Studio")
    address = reverse("installation_key_revoke", args=[key.pk])
    assert signed_in(super_admin).post(address).status_code == 404
    assert ApiKey.objects.get().revoked_at is None


def test_the_developers_page_does_not_list_them(signed_in, super_admin, application, made):
    page = signed_in(super_admin).get(reverse("key_list", args=[application.pk]))
    assert made[0].prefix not in page.content.decode()


def test_it_revokes_a_key(signed_in, boss, made, place):
    address = reverse("installation_key_revoke", args=[made[0].pk])
    assert made[0].prefix in signed_in(boss).get(address).content.decode()
    response = signed_in(boss).post(address)
    assert (response.status_code, response["Location"]) == (303, place)
    _holders.clear()
    with pytest.raises(KeyRefused):
        authenticate_key(made[1])


def test_only_the_log_of_the_client_records_it(made, boss, client_organization):
    revoke_key(made[0], boss)
    events = Event.objects.filter(
        action__in=[AuditAction.API_KEY_CREATED, AuditAction.API_KEY_REVOKED]
    )
    assert {event.organization_id for event in events} == {client_organization.pk}
    assert {event.actor for event in events} == {boss}
    assert events.count() == 2


def test_two_keys_are_valid_at_a_time(signed_in, boss, made, place):
    browser = signed_in(boss)
    assert browser.post(place, {"name": "X"}).status_code == 201
    response = browser.post(place, {"name": "X"})
    assert response.status_code == 409
    assert "has 2 valid keys in Production" in response.content.decode()


def test_no_key_is_created_after_the_license_has_ended(signed_in, boss, made, place):
    end_license()
    browser = signed_in(boss)
    page = browser.get(place).content.decode()
    assert "The license of Field Service has ended" in page
    assert "Create key" not in page
    assert browser.post(place, {"name": "X"}).status_code == 409
    assert ApiKey.objects.count() == 1


def test_a_former_super_admin_cannot_create_or_revoke(installation, boss, made):
    Membership.objects.filter(user=boss).update(role=Role.ADMIN)
    application, client = installation.application, installation.organization
    with pytest.raises(NotAllowed):
        create_key(application, client, "production", boss, "X")
    with pytest.raises(NotAllowed):
        revoke_key(made[0], boss)
    assert ApiKey.objects.get().revoked_at is None


def test_uninstalling_revokes_them(installation, made, boss, client_organization):
    installing.uninstall(installation, boss)
    _holders.clear()
    with pytest.raises(KeyRefused):
        authenticate_key(made[1])
    key = ApiKey.objects.get()
    assert key.revoked_by == boss
    event = Event.objects.get(action=AuditAction.API_KEY_REVOKED)
    assert (event.organization, event.actor) == (client_organization, boss)


def test_uninstalling_revokes_no_other_keys(
    installation, boss, made, application, studio, super_admin
):
    developers_key, text = create_key(application, studio, "development", super_admin, "Studio")
    installing.uninstall(installation, boss)
    _holders.clear()
    assert authenticate_key(text).key_id == developers_key.pk


def test_they_stay_valid_if_uninstalling_fails(installation, made, boss, break_log):  # noqa: F811
    break_log()
    with pytest.raises(NotRecorded):
        installing.uninstall(installation, boss)
    _holders.clear()
    assert authenticate_key(made[1])
    assert Installation.objects.exists()


def test_the_installation_page_links_to_them(signed_in, boss, person, installation, place):
    overview = reverse("installation_detail", args=[installation.pk])
    own = reverse("my_connections", args=[installation.pk])
    for address in (overview, own):
        assert place in signed_in(boss).get(address).content.decode()
        assert place not in signed_in(person).get(address).content.decode()
