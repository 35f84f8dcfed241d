from __future__ import annotations

import time
from statistics import median

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.keys.authentication import authenticate, authenticate_key
from console.keys.errors import KeyInUrl, KeyRefused
from console.keys.issuing import revoke_key
from console.keys.key_format import generate_key


@pytest.fixture
def queries():
    return CaptureQueriesContext(connection)


def sent(text: str, **environ: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {text}", "REMOTE_ADDR": "192.0.2.7", **environ}


def test_it_tells_whose_key_it_is(key_of, application):
    key, text = key_of("stage")
    holder = authenticate_key(text)
    assert holder.key_id == key.pk
    assert holder.prefix == key.prefix
    assert holder.application_id == application.pk
    assert holder.organization_id == application.organization_id
    assert holder.environment == "stage"
    assert text.rpartition("_")[2] not in repr(holder)


def test_a_good_key_costs_one_query_a_second(key_of, queries):
    _, text = key_of()
    with queries:
        for _ in range(50):
            authenticate_key(text)
    assert len(queries) == 1


@pytest.mark.parametrize("text", ["", "x", "dc_dev_", "Basic", "é" * 70, "x" * 100_000, "\0"])
def test_what_cannot_be_a_key_costs_no_query(db, queries, text):
    with queries, pytest.raises(KeyRefused):
        authenticate_key(text)
    assert len(queries) == 0


def test_a_mistyped_key_costs_no_query(key_of, queries):
    _, text = key_of()
    with queries, pytest.raises(KeyRefused):
        authenticate_key(text[:-1] + ("A" if text[-1] != "A" else "B"))
    assert len(queries) == 0


def test_absent_revoked_and_wrong_keys_are_refused_alike(key_of, developer):
    key, text = key_of()
    revoke_key(key, developer)
    other = generate_key("development")
    key.pk, key.prefix, key.digest, key.revoked_at = None, other.prefix, "0" * 64, None
    key._state.adding = True
    key.pk = type(key)._meta.pk.get_default()
    key.save()
    refusals = []
    for refused in (generate_key("development").text, text, other.text, "", "nonsense"):
        with pytest.raises(KeyRefused) as caught:
            authenticate_key(refused)
        refusals.append((str(caught.value), caught.value.headers))
    assert refusals == [refusals[0]] * 5


def test_it_takes_as_long_whatever_is_wrong(key_of, developer):
    key, revoked = key_of()
    revoke_key(key, developer)

    def took(text: str) -> float:
        started = time.perf_counter()
        with pytest.raises(KeyRefused):
            authenticate_key(text)
        return time.perf_counter() - started

    pairs = [(took(generate_key("development").text), took(revoked)) for _ in range(300)]
    absent, known = (median(side) for side in zip(*pairs, strict=True))
    # What differs is building one row out of the answer.
    assert abs(absent - known) < 0.0005 + 0.5 * max(absent, known)


def test_a_revoked_key_is_dead_within_a_second(key_of, developer):
    key, text = key_of()
    authenticate_key(text)
    revoke_key(key, developer)
    started = time.monotonic()
    with pytest.raises(KeyRefused):
        while time.monotonic() - started < 1.2:
            authenticate_key(text)
            time.sleep(0.02)
    assert time.monotonic() - started <= 1.1


def test_the_header_is_read(key_of):
    key, text = key_of()
    assert authenticate(sent(text)).key_id == key.pk
    assert authenticate({**sent(text), "HTTP_AUTHORIZATION": f"bearer  {text} "}).key_id == key.pk


@pytest.mark.parametrize("header", ["", "Bearer", "Basic {}", "{}", "Bearer x {}", "Token {}"])
def test_only_bearer_counts(key_of, header):
    _, text = key_of()
    with pytest.raises(KeyRefused):
        authenticate({**sent(text), "HTTP_AUTHORIZATION": header.format(text)})


@pytest.mark.parametrize("place", ["QUERY_STRING", "PATH_INFO"])
def test_a_key_in_the_address_is_refused_with_advice(key_of, place):
    _, text = key_of()
    with pytest.raises(KeyInUrl, match="Authorization: Bearer"):
        authenticate(sent(text, **{place: f"/x?key={text}"}))
    with pytest.raises(KeyInUrl):
        authenticate({place: f"key={text}"})
