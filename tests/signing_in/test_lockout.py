"""Wrong passwords: limited by account and address, and never against the person himself."""

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
    """Guess some times, always from the same browser."""

    def guess(user, client: Client, times: int = 5):
        for _ in range(times):
            _, response = sign_in(user, "wrong", client)
        return response

    return guess


def said(response) -> str:
    return " ".join(response.context["form"].non_field_errors())


def test_it_says_what_happened_and_when_to_try_again(developer, browser, guess):
    response = guess(developer, browser())

    assert response.status_code == 429
    assert 890 <= int(response["Retry-After"]) <= 900
    assert "A wrong password was given 5 times for this account" in said(response)
    assert "15 minutes" in said(response)


def test_it_takes_not_even_the_right_password_then(developer, browser, guess, sign_in):
    client = browser()
    guess(developer, client)
    _, response = sign_in(developer, client=client)
    assert response.status_code == 429
    assert client.get(reverse("home")).status_code == 302


def test_four_wrong_ones_change_nothing_for_the_right_one(developer, browser, guess, sign_in):
    client = browser()
    assert guess(developer, client, 4).status_code == 200
    assert sign_in(developer, client=client)[1].status_code == 302
    assert not AccessAttempt.objects.exists()


def test_a_stranger_elsewhere_keeps_out_himself_alone(developer, browser, guess, sign_in):
    for number in range(1, 7):
        assert guess(developer, browser(f"198.51.100.{number}")).status_code == 429
    _, response = sign_in(developer)
    assert (response.status_code, response["Location"]) == (302, reverse("home"))


def test_it_ends_by_itself(developer, browser, guess, sign_in):
    client = browser()
    guess(developer, client)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    cache.clear()  # what allauth counts in five minutes
    assert sign_in(developer, client=client)[1].status_code == 302


def test_trying_on_does_not_make_it_longer(developer, browser, guess):
    client = browser()
    guess(developer, client)
    before = AccessAttempt.objects.get().attempt_time
    guess(developer, client, 3)
    assert AccessAttempt.objects.get().attempt_time == before


def test_the_spelling_of_an_address_starts_no_new_count(developer, browser, guess, sign_in):
    client = browser()
    guess(developer, client, 4)
    assert sign_in(developer.email.upper(), "wrong", client)[1].status_code == 429


def test_another_browser_at_the_same_place_starts_no_new_count(developer, guess):
    guess(developer, Client(REMOTE_ADDR="192.0.2.1", HTTP_USER_AGENT="one"), 4)
    other = Client(REMOTE_ADDR="192.0.2.1", HTTP_USER_AGENT="two")
    assert guess(developer, other, 1).status_code == 429


def test_an_ipv6_network_counts_as_one_place(developer, browser, guess):
    for number in range(4):
        guess(developer, browser(f"2001:db8::{number + 1}"), 1)
    assert guess(developer, browser("2001:db8::ffff"), 1).status_code == 429
    assert guess(developer, browser("2001:db8:0:1::1"), 1).status_code == 200


def test_it_counts_those_behind_a_proxy_apart(developer, settings, guess, sign_in):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def behind(address: str) -> Client:
        return Client(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=address)

    # What the browser claims itself stands left of what the proxy adds.
    guess(developer, behind("203.0.113.9, 198.51.100.1"), 4)
    assert guess(developer, behind("203.0.113.8, 198.51.100.1"), 1).status_code == 429
    assert sign_in(developer, client=behind("198.51.100.2"))[1].status_code == 302


def test_it_believes_no_claim_where_no_proxy_is_trusted(developer, guess):
    for number in range(4):
        guess(developer, Client(HTTP_X_FORWARDED_FOR=f"198.51.100.{number}"), 1)
    response = guess(developer, Client(HTTP_X_FORWARDED_FOR="198.51.100.200"), 1)
    assert response.status_code == 429


def test_it_says_the_same_of_an_account_that_is_not_there(developer, browser, guess):
    answers = [
        said(guess(email, browser(address)))
        for email, address in ((developer.email, "192.0.2.8"), ("no@one.example", "192.0.2.9"))
    ]
    assert answers[0] == answers[1]


@pytest.fixture
def spread(sign_in, settings):
    """Give wrong passwords for as many accounts as one place may, and one more."""
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "login_spread": "12/10m/key"}

    def guess(client: Client, times: int):
        for number in range(times):
            _, response = sign_in(f"{number}@studio.example", "wrong", client)
        return response

    return guess


def test_wrong_passwords_of_others_keep_nobody_out(developer, browser, sign_in, settings):
    client = browser()
    for number in range(15):
        sign_in(f"{number}@studio.example", "wrong", client)
    assert sign_in(developer, client=browser())[1].status_code == 302


def test_one_place_cannot_try_many_accounts(browser, spread, db):
    assert "too many wrong tries" in said(spread(browser(), 13))


def test_a_browser_that_has_signed_in_is_let_in_beside_one_that_guesses(
    developer, browser, spread, sign_in
):
    mine, _ = sign_in(developer)
    mine.post(reverse("account_logout"))
    spread(browser(), 13)
    assert sign_in(developer, client=mine)[1].status_code == 302
    assert sign_in(developer, client=browser())[1].status_code == 200  # never seen here


def test_who_is_signed_in_gives_the_password_again_beside_one_that_guesses(
    developer, browser, spread, sign_in
):
    mine, _ = sign_in(developer)
    let_time_pass(mine, 601)
    spread(browser(), 13)
    assert mine.post(reverse("account_reauthenticate"), {"password": PASSWORD}).status_code == 302


def test_a_known_browser_cannot_guess_at_others(developer, browser, spread, sign_in):
    mine, _ = sign_in(developer)
    mine.post(reverse("account_logout"))
    assert "too many wrong tries" in said(spread(mine, 13))


def test_a_known_browser_has_five_wrong_tries_as_well(developer, guess, sign_in):
    mine, _ = sign_in(developer)
    mine.post(reverse("account_logout"))
    assert guess(developer, mine).status_code == 429


def test_a_right_password_does_not_count(developer, browser, spread, sign_in):
    for _ in range(14):
        assert sign_in(developer, client=browser())[1].status_code == 302
    assert "too many wrong tries" not in said(spread(browser(), 3))


def test_another_port_in_the_host_starts_no_new_count(developer, browser, settings):
    settings.AXES_FAILURE_LIMIT = 100  # allauth's own count is meant here
    client = browser()
    form = {"login": developer.email, "password": "wrong"}
    answers = [client.post(LOGIN, form, HTTP_HOST=f"testserver:{n}") for n in range(1, 7)]
    assert "too many wrong tries" in said(answers[-1])


def test_it_keeps_no_password_and_no_token(developer, browser, guess):
    guess(developer, browser(), 2)
    attempt = AccessAttempt.objects.get()
    assert attempt.username == developer.email
    assert "password=wrong" not in attempt.post_data
    assert "csrfmiddlewaretoken=" not in attempt.post_data.replace("=********", "")


def test_asking_for_the_password_again_is_limited_as_well(developer, sign_in):
    client, _ = sign_in(developer)
    let_time_pass(client, 601)
    place = reverse("account_reauthenticate")
    answers = [client.post(place, {"password": "wrong"}) for _ in range(5)]
    assert answers[-1].status_code == 429
    assert client.post(place, {"password": PASSWORD}).status_code == 429
