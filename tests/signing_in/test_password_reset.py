"""Password reset by mail: the link works once, for an hour, for its account."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from allauth.account.forms import EmailAwarePasswordResetTokenGenerator
from django.conf import settings
from django.core import mail
from django.urls import reverse

from tests.signing_in.conftest import PASSWORD, without_tokens

RESET = reverse("account_reset_password")
NEW = "entirely-new-9"


@pytest.fixture
def link(browser):
    """Request a reset and return the link in the mail."""

    def ask(email: str) -> str:
        mail.outbox.clear()
        response = browser().post(RESET, {"email": email})
        assert response["Location"] == reverse("account_reset_password_done")
        [message] = mail.outbox
        return re.findall(rf"{settings.PUBLIC_URL}(/\S+)", message.body)[0]

    return ask


def set_password(client, place: str):
    page = client.get(place, follow=True)
    form = {"password1": NEW, "password2": NEW}
    return client.post(page.request["PATH_INFO"], form, follow=True)


def test_it_works(developer, link, browser, sign_in):
    place = link(developer.email)
    [message] = mail.outbox
    assert message.subject == "Reset your password for Developer Console"
    assert "The link works once and is valid for an hour" in message.body
    assert message.to == [developer.email]

    assert "Password changed" in set_password(browser(), place).content.decode()
    assert sign_in(developer, PASSWORD)[1].status_code == 200
    assert sign_in(developer, NEW)[1].status_code == 302
    assert mail.outbox[-1].subject == "Your password was reset"


def test_the_link_works_once(developer, link, browser):
    place = link(developer.email)
    set_password(browser(), place)
    page = browser().get(place, follow=True).content.decode()
    assert "This link no longer works" in page


@pytest.mark.parametrize(("seconds", "works"), [(3500, True), (3601, False)])
def test_the_link_expires_after_an_hour(developer, link, browser, seconds, works):
    class Before(EmailAwarePasswordResetTokenGenerator):
        def _now(self) -> datetime:
            return datetime.now() - timedelta(seconds=seconds)

    uid = re.search(r"/key/(\w+)-", link(developer.email))[1]
    place = reverse("account_reset_password_from_key", args=[uid, Before().make_token(developer)])
    page = browser().get(place, follow=True).content.decode()
    assert ("Set the password" in page) == works
    assert ("This link no longer works" in page) != works


def test_it_does_not_reveal_whether_an_account_exists(developer, browser):
    answers = [
        without_tokens(browser().post(RESET, {"email": email}, follow=True))
        for email in (developer.email, "nobody@studio.example")
    ]
    assert answers[0] == answers[1]
    message = mail.outbox[-1]
    assert message.to == ["nobody@studio.example"]
    assert message.subject == "You have no account at Developer Console"


def test_it_signs_out_everywhere(developer, link, browser, sign_in):
    client, _ = sign_in(developer)
    set_password(browser(), link(developer.email))
    assert client.get(reverse("home")).status_code == 302


def test_it_ends_a_lockout(developer, link, browser, sign_in):
    client = browser()
    for _ in range(5):
        sign_in(developer, "wrong", client)
    set_password(browser(), link(developer.email))
    assert sign_in(developer, NEW, client)[1].status_code == 302


def test_it_still_requires_the_second_factor(developer, link, browser, sign_in, app_secret):
    app_secret(developer)
    set_password(browser(), link(developer.email))
    client, response = sign_in(developer, NEW)
    assert response["Location"] == reverse("mfa_authenticate")
    assert client.get(reverse("home")).status_code == 302


def test_it_reports_a_failing_mail_server(developer, browser, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nothing listens there
    page = browser().post(RESET, {"email": developer.email}, follow=True).content.decode()
    assert "The mail could not be sent" in page
