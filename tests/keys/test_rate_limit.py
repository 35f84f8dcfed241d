from __future__ import annotations

import pytest

from console.keys import rate_limit
from console.keys.authentication import _holders, authenticate, authenticate_key
from console.keys.errors import KeyRefused, TooManyGuesses
from console.keys.key_format import generate_key
from console.keys.rate_limit import LIMIT, address_of

HERE, ELSEWHERE = "192.0.2.7", "192.0.2.8"


@pytest.fixture
def at_noon(monkeypatch):
    """Stop the clock by which guesses are counted, 20 s into a minute."""
    monkeypatch.setattr(rate_limit.time, "time", lambda: 60_000_020.0)


def guess(address: str = HERE, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(KeyRefused):
            authenticate_key("guess", {"REMOTE_ADDR": address})


def test_a_thousand_wrong_keys_in_a_minute_are_enough(key_of, at_noon):
    _, text = key_of()
    guess(times=LIMIT)
    with pytest.raises(TooManyGuesses) as caught:
        authenticate_key("guess", {"REMOTE_ADDR": HERE})
    assert caught.value.headers == {"Retry-After": "40"}
    # A right guess tells nothing there ...
    with pytest.raises(TooManyGuesses):
        authenticate_key(text, {"REMOTE_ADDR": HERE})
    # ... and elsewhere nobody notices.
    assert authenticate_key(text, {"REMOTE_ADDR": ELSEWHERE})


def test_the_next_minute_counts_anew(db, at_noon, monkeypatch):
    guess(times=LIMIT)
    monkeypatch.setattr(rate_limit.time, "time", lambda: 60_000_060.0)
    guess()


def test_a_key_that_was_valid_before_is_not_blocked(key_of, at_noon):
    _, text = key_of()
    authenticate_key(text, {"REMOTE_ADDR": HERE})
    guess(times=LIMIT)
    _holders.expire()
    assert authenticate_key(text, {"REMOTE_ADDR": HERE})


def test_no_guesses_by_real_looking_keys_either(db, at_noon):
    for _ in range(LIMIT):
        with pytest.raises(KeyRefused):
            authenticate_key(generate_key("stage").text, {"REMOTE_ADDR": HERE})
    with pytest.raises(TooManyGuesses):
        authenticate_key(generate_key("stage").text, {"REMOTE_ADDR": HERE})


def test_a_good_key_never_counts(key_of, at_noon, monkeypatch):
    _, text = key_of()
    monkeypatch.setattr(rate_limit, "cache", None)  # nothing is counted, so nothing is asked
    authenticate_key(text)
    for _ in range(3):
        authenticate_key(text, {"REMOTE_ADDR": HERE})


def test_nobody_hides_in_a_network_of_his_own(db, at_noon):
    for last in range(LIMIT):
        guess(f"2001:db8::{last:x}")
    with pytest.raises(TooManyGuesses):
        authenticate_key("guess", {"REMOTE_ADDR": "2001:db8::ffff:1"})


@pytest.mark.parametrize(
    ("trusted", "forwarded", "found"),
    [
        (0, "203.0.113.9", "192.0.2.7"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        (2, "1.1.1.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.7"),
        (1, "rubbish", ""),
    ],
)
def test_proxies_are_believed_as_far_as_they_are_trusted(settings, trusted, forwarded, found):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = trusted
    environ = {"REMOTE_ADDR": "192.0.2.7", "HTTP_X_FORWARDED_FOR": forwarded}
    assert address_of(environ) == found


def test_no_key_at_all_is_no_guess(db, at_noon):
    for _ in range(LIMIT + 1):
        with pytest.raises(KeyRefused):
            authenticate({"REMOTE_ADDR": HERE})
