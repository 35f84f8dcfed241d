"""Sign-in uses only the console's templates, and features that are off have no pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.response import TemplateResponse
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver

from console.accounts.models import User
from tests.signing_in.conftest import kinds

OURS = settings.BASE_DIR / "templates"
ALLAUTH = next(
    pattern
    for pattern in get_resolver().url_patterns
    if isinstance(pattern, URLResolver) and str(pattern.pattern) == "accounts/"
)


def places(resolver: URLResolver, prefix: str) -> dict[str, str]:
    """Return the URL of every page, with made-up arguments."""
    found = {}
    for pattern in resolver.url_patterns:
        path = prefix + re.sub(r"^\^|\$$", "", str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            path = path.replace("<int:pk>", "0")
            path = re.sub(r"\(\?P<\w+>(?:[^()]|\([^)]*\))*\)", "abc", path)
            found[pattern.name] = path
        else:
            found |= places(pattern, path)
    return found


PLACES = places(ALLAUTH, "/accounts/")


@pytest.fixture
def visitor(request, developer, sign_in, app_secret, recovery_codes, passkey, browser) -> Client:
    """A person in each state in which pages differ."""
    state = request.param
    if state == "anonymous":
        return browser()
    client, _ = sign_in(developer)
    if state == "signed in with a second factor":
        app_secret(developer)
        recovery_codes(developer)
        passkey(developer, pk=0)  # a number that no sequence gives
    if state == "at the second step":
        app_secret(developer)
        client, _ = sign_in(developer, client=browser())
    return client


STATES = ["anonymous", "signed in", "signed in with a second factor", "at the second step"]


def test_it_covers_all_pages():
    assert len(PLACES) >= 28
    assert "mfa_authenticate" in PLACES
    assert "usersessions_list" in PLACES


@pytest.mark.parametrize("visitor", STATES, indirect=True)
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_page_uses_a_template_of_allauth(visitor, method):
    shown = 0
    for name, path in PLACES.items():
        if name == "account_logout" and method == "post":
            continue  # the others need the session
        response = getattr(visitor, method)(path)
        assert response.status_code in {200, 302, 403, 404, 405}, (name, response.status_code)
        used = [Path(part.origin.name) for part in response.templates if part.name]
        foreign = {
            str(path)
            for path in used
            if not path.is_relative_to(OURS) and "forms/" not in str(path)
        }
        assert foreign == set(), name
        shown += response.status_code == 200
        if response.status_code == 200 and "html" in response["Content-Type"]:
            assert "console/console.css" in response.content.decode(), name
            assert "<script>" not in response.content.decode(), name
    assert shown > 0


def test_every_reachable_template_of_allauth_is_replaced():
    import allauth

    theirs = Path(allauth.__file__).parent / "templates"
    #: Signing up, codes to sign in, links to confirm an address, telephones, trusting a
    #: browser: none of it is offered.
    closed = re.compile(
        r"account/(signup|signup_by_passkey|confirm_\w+_code|request_login_code|phone_change|"
        r"email_change|email_confirm|verification_sent|verified_email_required|base_\w+)\.html|"
        r"account/snippets|mfa/(trust|index|base_\w+)\.html|"
        r"mfa/(totp|webauthn|recovery_codes)/(base|signup_form)\.html|mfa/webauthn/snippets|"
        r"usersessions/base_manage\.html|"
        r"account/email/(login_code|password_reset_code|email_confirm)_|"
        r"(account|usersessions)/messages"
    )
    missing = [
        str(name)
        for room in ("account", "mfa", "usersessions")
        for path in sorted((theirs / room).rglob("*.*"))
        if not closed.match(str(name := path.relative_to(theirs))) and not (OURS / name).exists()
    ]
    assert missing == []


@pytest.mark.parametrize(
    "name",
    [
        "account_signup_by_passkey",
        "account_request_login_code",
        "account_change_phone",
        "mfa_login_webauthn",
        "mfa_signup_webauthn",
        "mfa_trust",
        "socialaccount_signup",
        "socialaccount_connections",
    ],
)
def test_features_that_are_off_have_no_url(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)


def test_there_is_no_social_sign_in():
    assert not [path for path in PLACES.values() if "3rdparty" in path or "social" in path]


def test_sign_up_creates_no_account(db):
    form = {"email": "new@studio.example", "password1": "long-enough-7"}
    response = Client().post(reverse("account_signup"), form)
    assert isinstance(response, TemplateResponse)
    assert response.templates[0].name == "account/signup_closed.html"
    assert not User.objects.exists()


def test_rate_limited_requests_get_a_page_of_the_console(developer, sign_in):
    client, _ = sign_in(developer)
    form = {"oldpassword": "wrong", "password1": "entirely-new-9", "password2": "entirely-new-9"}
    answers = [client.post(reverse("account_change_password"), form) for _ in range(6)]
    assert answers[-1].status_code == 429
    assert "Too many tries" in answers[-1].content.decode()
    assert kinds(developer) == set()
