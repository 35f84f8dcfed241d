"""Wrong passwords are limited by account and network, without locking out the owner."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.signing_in.conftest import PASSWORD, let_time_pass

LOGIN = reverse("account_login")


@pytest.fixture
def guess(sign_in):
    """Send wrong passwords, always from the same browser."""

    def guess(user, client: Client, times: int = 5):
        for _ in range(times):
            _, response = sign_in(user, "wrong", client)
        return response

    return guess


def said(response) -> str:
    return " ".join(response.context["form"].non_field_errors())


def test_it_explains_the_lockout_and_its_end(developer, browser, guess):
    response = guess(developer, browser())

    assert response.status_code == 429
    assert 890 <= int(response["Retry-After"]) <= 900
    assert "after 5 wrong passwords" in said(response)
    assert "15 minutes" in said(response)


def test_it_rejects_the_right_password_during_a_lockout(developer, browser, guess, sign_in):
    client = browser()
    guess(developer, client)
    _, response = sign_in(developer, client=client)
    assert response.status_code == 429
    assert client.get(reverse("home")).status_code == 302


def test_four_wrong_passwords_do_not_lock_out(developer, browser, guess, sign_in):
    client = browser()
    assert guess(developer, client, 4).status_code == 200
    assert sign_in(developer, client=client)[1].status_code == 302
    assert not AccessAttempt.objects.exists()


def test_a_stranger_locks_out_only_themselves(developer, browser, guess, sign_in):
    for number in range(1, 7):
        assert guess(developer, browser(f"198.51.100.{number}")).status_code == 429
    _, response = sign_in(developer)
    assert (response.status_code, response["Location"]) == (302, reverse("home"))


def test_a_lockout_expires(developer, browser, guess, sign_in):
    client = browser()
    guess(developer, client)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    cache.clear()  # what allauth counts in five minutes
    assert sign_in(developer, client=client)[1].status_code == 302


def test_further_attempts_do_not_extend_a_lockout(developer, browser, guess):
    client = browser()
    guess(developer, client)
    before = AccessAttempt.objects.get().attempt_time
    guess(developer, client, 3)
    assert AccessAttempt.objects.get().attempt_time == before


def test_another_spelling_of_the_address_is_counted_together(developer, browser, guess, sign_in):
    client = browser()
    guess(developer, client, 4)
    assert sign_in(developer.email.upper(), "wrong", client)[1].status_code == 429


def test_another_browser_in_the_network_is_counted_together(developer, guess):
    guess(developer, Client(REMOTE_ADDR="192.0.2.1", HTTP_USER_AGENT="one"), 4)
    other = Client(REMOTE_ADDR="192.0.2.1", HTTP_USER_AGENT="two")
    assert guess(developer, other, 1).status_code == 429


def test_an_ipv6_network_is_counted_together(developer, browser, guess):
    for number in range(4):
        guess(developer, browser(f"2001:db8::{number + 1}"), 1)
    assert guess(developer, browser("2001:db8::ffff"), 1).status_code == 429
    assert guess(developer, browser("2001:db8:0:1::1"), 1).status_code == 200


def test_clients_behind_a_trusted_proxy_are_counted_separately(developer, settings, guess, sign_in):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def behind(address: str) -> Client:
        return Client(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=address)

    # What the browser claims itself stands left of what the proxy adds.
    guess(developer, behind("203.0.113.9, 198.51.100.1"), 4)
    assert guess(developer, behind("203.0.113.8, 198.51.100.1"), 1).status_code == 429
    assert sign_in(developer, client=behind("198.51.100.2"))[1].status_code == 302


def test_it_ignores_forwarded_addresses_without_a_trusted_proxy(developer, guess):
    for number in range(4):
        guess(developer, Client(HTTP_X_FORWARDED_FOR=f"198.51.100.{number}"), 1)
    response = guess(developer, Client(HTTP_X_FORWARDED_FOR="198.51.100.200"), 1)
    assert response.status_code == 429


def test_a_missing_account_gets_the_same_answer(developer, browser, guess):
    answers = [
        said(guess(email, browser(address)))
        for email, address in ((developer.email, "192.0.2.8"), ("no@one.example", "192.0.2.9"))
    ]
    assert answers[0] == answers[1]


@pytest.fixture
def spread(sign_in, settings):
    """Send wrong passwords for one account more than the limit of a network."""
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "login_spread": "12/10m/key"}

    def guess(client: Client, times: int):
        for number in range(times):
            _, response = sign_in(f"{number}@studio.example", "wrong", client)
        return response

    return guess


def test_wrong_passwords_of_others_lock_out_nobody(developer, browser, sign_in, settings):
    client = browser()
    for number in range(15):
        sign_in(f"{number}@studio.example", "wrong", client)
    assert sign_in(developer, client=browser())[1].status_code == 302


def test_a_network_cannot_try_many_accounts(browser, spread, db):
    assert "Too many failed attempts" in said(spread(browser(), 13))


def test_a_known_browser_can_sign_in_while_its_network_is_blocked(
    developer, browser, spread, sign_in
):
    mine, _ = sign_in(developer)
    mine.post(reverse("account_logout"))
    spread(browser(), 13)
    assert sign_in(developer, client=mine)[1].status_code == 302
    assert sign_in(developer, client=browser())[1].status_code == 200  # never seen here


def test_signed_in_people_can_reauthenticate_while_their_network_is_blocked(
    developer, browser, spread, sign_in
):
    mine, _ = sign_in(developer)
    let_time_pass(mine, 601)
    spread(browser(), 13)
    assert mine.post(reverse("account_reauthenticate"), {"password": PASSWORD}).status_code == 302


def test_a_known_browser_is_blocked_for_other_accounts(developer, browser, spread, sign_in):
    mine, _ = sign_in(developer)
    mine.post(reverse("account_logout"))
    assert "Too many failed attempts" in said(spread(mine, 13))


def test_a_known_browser_is_locked_out_after_five_wrong_passwords(developer, guess, sign_in):
    mine, _ = sign_in(developer)
    mine.post(reverse("account_logout"))
    assert guess(developer, mine).status_code == 429


def test_right_passwords_are_not_counted(developer, browser, spread, sign_in):
    for _ in range(14):
        assert sign_in(developer, client=browser())[1].status_code == 302
    assert "Too many failed attempts" not in said(spread(browser(), 3))


def test_another_port_in_the_host_is_counted_together(developer, browser, settings):
    settings.AXES_FAILURE_LIMIT = 100  # allauth's own count is meant here
    client = browser()
    form = {"login": developer.email, "password": "wrong"}
    answers = [client.post(LOGIN, form, HTTP_HOST=f"testserver:{n}") for n in range(1, 7)]
    assert "Too many failed attempts" in said(answers[-1])


def test_it_stores_no_password_and_no_token(developer, browser, guess):
    guess(developer, browser(), 2)
    attempt = AccessAttempt.objects.get()
    assert attempt.username == developer.email
    assert "password=wrong" not in attempt.post_data
    assert "csrfmiddlewaretoken=" not in attempt.post_data.replace("=********", "")


def test_reauthentication_is_limited(developer, sign_in):
    client, _ = sign_in(developer)
    let_time_pass(client, 601)
    place = reverse("account_reauthenticate")
    answers = [client.post(place, {"password": "wrong"}) for _ in range(5)]
    assert answers[-1].status_code == 429
    assert client.post(place, {"password": PASSWORD}).status_code == 429
