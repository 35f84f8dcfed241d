"""``?next=`` of sign-in and other pages redirects only to pages of the console."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.signing_in.conftest import PASSWORD

HOME = reverse("home")
STRANGE = [
    "http://[",
    "http://[::1",
    "//[",
    "http://testserver:99999999999/",
    "http://\N{FULLWIDTH SOLIDUS}evil.example/",
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "javascript:alert(1)",
    # The host is ours, but not what listens there.
    "http://testserver:666/",
    "http://localhost:666/",
    "https://localhost/",
    "ftp://localhost:8000/",
    "http://127.0.0.1:8000/",
]


@pytest.mark.parametrize("place", STRANGE)
def test_sign_in_redirects_home_instead_of_another_site(developer, browser, place, settings):
    settings.ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
    settings.PUBLIC_URL = "http://localhost:8000"
    form = {"login": developer.email, "password": PASSWORD, "next": place}
    response = browser().post(reverse("account_login"), form)
    assert (response.status_code, response["Location"]) == (302, HOME)


@pytest.mark.parametrize("place", STRANGE)
@pytest.mark.parametrize("name", ["account_login", "account_reauthenticate", "account_logout"])
def test_no_page_fails_with_a_strange_target(developer, sign_in, name, place):
    client, _ = sign_in(developer)
    response = client.get(reverse(name), {"next": place})
    assert response.status_code in {200, 302}
    assert "evil" not in response.get("Location", "")


@pytest.mark.parametrize("place", ["/admin/", "/apps/?q=1#x", "http://localhost:8000/apps/"])
def test_sign_in_redirects_to_pages_of_the_console(developer, browser, place, settings):
    settings.PUBLIC_URL = "http://localhost:8000"
    form = {"login": developer.email, "password": PASSWORD, "next": place}
    response = browser().post(reverse("account_login"), form)
    assert response["Location"] == place
