"""The page *Security*, the list of sessions, and the reminder to set up a second factor."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from tests.signing_in.conftest import code_of

SECURITY = reverse("security")
NAG = "Your account has wide permissions"


def text(client, name: str = "security") -> str:
    return client.get(reverse(name)).content.decode()


def test_it_works(developer, sign_in):
    client, _ = sign_in(developer)
    page = text(client)
    for name in ("account_change_password", "mfa_activate_totp", "mfa_add_webauthn"):
        assert reverse(name) in page
    assert reverse("mfa_generate_recovery_codes") not in page
    assert "This browser" in page


def test_it_replaces_the_page_of_allauth():
    assert reverse("mfa_index") == SECURITY


def test_it_requires_login(client, db):
    assert client.get(SECURITY).status_code == 302


def test_it_rejects_post(developer, sign_in):
    client, _ = sign_in(developer)
    assert client.post(SECURITY).status_code == 405


def test_every_page_links_to_it(developer, sign_in):
    client, _ = sign_in(developer)
    assert f'href="{SECURITY}"' in text(client, "home")


def test_it_lists_the_factors(developer, sign_in, app_secret, recovery_codes):
    client, _ = sign_in(developer)
    app_secret(developer)
    recovery_codes(developer)
    page = text(client)
    assert reverse("mfa_deactivate_totp") in page
    assert "10 of 10 are left" in page


def test_it_names_the_browser(developer, sign_in):
    client = Client(
        HTTP_USER_AGENT="Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/18.4 Safari/605.1.15"
    )
    sign_in(developer, client=client)
    assert ">Safari on macOS</span>" in text(client)


def test_it_shows_nothing_of_others(developer, super_admin, sign_in, app_secret):
    app_secret(super_admin)
    sign_in(super_admin)
    client, _ = sign_in(developer)
    page = text(client)
    assert reverse("mfa_activate_totp") in page
    assert page.count("factor-note") == 1


def test_it_signs_out_everywhere_else(developer, sign_in):
    here, _ = sign_in(developer)
    there, _ = sign_in(developer)
    assert text(here).count("factor-note") == 2
    response = here.post(reverse("usersessions_list"), follow=True)
    assert "You were signed out everywhere else" in response.content.decode()
    assert here.get(SECURITY).status_code == 200
    assert there.get(SECURITY).status_code == 302
    assert UserSession.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["super_admin", "operator"])
def test_privileged_people_are_reminded_to_set_up_a_second_factor(
    who, request, sign_in, app_secret, signed_in
):
    person = request.getfixturevalue(who)
    client, _ = sign_in(person)
    assert NAG in text(client, "home")
    assert NAG in text(client)
    assert client.get(reverse("admin:index")).status_code == 200  # a reminder, no wall
    code = code_of(app_secret(person))
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert NAG not in text(client, "home")


def test_other_people_are_not_reminded(developer, sign_in):
    client, _ = sign_in(developer)
    assert NAG not in text(client, "home")
