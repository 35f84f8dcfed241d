"""Open an installed application with a signed token that names the person."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from console.accounts.models import Membership
from console.keys import authentication, user_tokens
from console.keys.authentication import authenticate_key
from console.keys.errors import TokenRefused
from console.keys.issuing import create_key
from console.keys.user_tokens import verify_token
from console.publishing.models import Installation

TOKEN = r"eyJ[\w-]+\.[\w-]+\.[\w-]+"


@pytest.fixture(autouse=True)
def clear_caches() -> None:
    for each in (authentication._holders, user_tokens._users, user_tokens._public_keys):
        each.clear()


@pytest.fixture
def installation(installed, application) -> Installation:
    application.launch_url = "https://field.example/start"
    application.save()
    return installed()


@pytest.fixture
def place(installation) -> str:
    return reverse("installation_open", args=[installation.pk])


@pytest.fixture
def holder(installation, boss):
    application, client = installation.application, installation.organization
    return authenticate_key(create_key(application, client, "production", boss, "P")[1])


def token_in(response) -> str:
    return re.search(TOKEN, response.content.decode())[0]


def test_each_person_opens_it_as_themselves(signed_in, boss, admin, person, place, holder):
    for user in (boss, admin, person):
        response = signed_in(user).post(place)
        assert verify_token(token_in(response), holder) == user
        assert "no-store" in response["Cache-Control"]


def test_the_token_is_sent_to_the_launch_url(signed_in, person, place, installation):
    response = signed_in(person).post(place)
    page = response.content.decode()
    assert 'action="https://field.example/start"' in page
    assert "form-action 'self' https://field.example" in response["Content-Security-Policy"]
    assert reverse("installation_detail", args=[installation.pk]) in page
    assert installation.application.get_absolute_url() not in page


def test_the_token_is_valid_only_in_production_of_the_client(
    signed_in, person, place, application, studio, super_admin, installation
):
    token = token_in(signed_in(person).post(place))
    for environment in ("development", "stage"):
        key = create_key(application, studio, environment, super_admin, "P")[1]
        with pytest.raises(TokenRefused):
            verify_token(token, authenticate_key(key))


@pytest.mark.parametrize("who", ["developer", "super_admin", "stranger"])
def test_it_hides_from_people_outside_the_client(request, signed_in, place, who):
    response = signed_in(request.getfixturevalue(who)).post(place)
    assert response.status_code == 404


def test_it_rejects_get(signed_in, person, place):
    assert signed_in(person).get(place).status_code == 405


def test_it_cannot_be_opened_after_the_license_has_ended(signed_in, person, place, installation):
    Installation.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    response = signed_in(person).post(place, follow=True)
    page = response.content.decode()
    assert "The license of Field Service has ended, so it cannot be opened." in page
    assert not re.search(TOKEN, page)
    assert place not in page


def test_the_token_of_a_deactivated_person_is_refused(signed_in, person, place, holder):
    token = token_in(signed_in(person).post(place))
    Membership.objects.filter(user=person).update(deactivated_at=timezone.now())
    user_tokens._users.clear()
    with pytest.raises(TokenRefused, match="no longer belongs"):
        verify_token(token, holder)


def test_the_installation_page_has_an_open_button(
    signed_in, person, place, installation, application
):
    overview = reverse("installation_detail", args=[installation.pk])
    assert place in signed_in(person).get(overview).content.decode()
    application.launch_url = ""
    application.save()
    assert place not in signed_in(person).get(overview).content.decode()


def test_without_a_launch_url_it_shows_the_token(
    signed_in, person, place, application, installation, holder
):
    application.launch_url = ""
    application.save()
    response = signed_in(person).post(place)
    assert verify_token(token_in(response), holder) == person
    assert "in Production" in response.content.decode()
