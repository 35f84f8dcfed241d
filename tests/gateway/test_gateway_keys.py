"""Keys and people: what the nginx path accepts, and for how long."""

from __future__ import annotations

import time

import pytest

REVOKE = "UPDATE keys_apikey SET revoked_at = {} WHERE prefix = '{}'"


def prefix(key):
    return key.rpartition("_")[0]


def until(paths, status, **call):
    """Return how long it takes until calls have this status."""
    began = time.monotonic()
    while time.monotonic() - began < 5:
        sent = time.monotonic() - began
        if paths.call(**call).status_code == status:
            return sent
    pytest.fail("it did not take effect")


@pytest.mark.parametrize("key", ["", "x", "dc_dev_0123456789_" + "0" * 49])
def test_wrong_keys_are_answered_by_the_python_path(paths, key):
    answer = paths.call(headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 401
    assert answer.json()["type"].endswith("/key-refused")
    assert paths.item.received == []


@pytest.mark.parametrize("scheme", ["Basic", "Token", ""])
def test_another_scheme_is_refused(paths, scheme):
    answer = paths.call(headers={"Authorization": f"{scheme} {paths.keys.key}".strip()})
    assert answer.status_code == 401


def test_a_revoked_key_stops_within_a_second_while_it_is_used(paths):
    key = paths.keys.second
    assert paths.call(key=key).status_code == 200
    paths.console.rows(REVOKE.format("CURRENT_TIMESTAMP", prefix(key)))
    try:
        assert until(paths, 401, key=key) <= 1.1
    finally:
        paths.console.rows(REVOKE.format("NULL", prefix(key)))
    assert until(paths, 200, key=key) <= 1.1


def test_a_revoked_authorization_stops_within_a_second(paths):
    assert paths.call(link_name="again").status_code == 200
    state = "UPDATE connections_authorization SET state = '{}', changed_at = CURRENT_TIMESTAMP"
    state += (
        " WHERE connection_id = (SELECT id FROM connections_connection WHERE link_name = 'again')"
    )
    paths.console.rows(state.format("revoked"))
    try:
        assert until(paths, 409, link_name="again") <= 1.1
    finally:
        paths.console.rows(state.format("active"))
    assert until(paths, 200, link_name="again") <= 1.2


def test_another_environment_is_another_caller(paths):
    assert paths.call(key=paths.keys.key).status_code == 200
    assert paths.call(key=paths.keys.stage).status_code == 404


def test_an_unknown_connection_is_answered_by_the_python_path(paths):
    answer = paths.call(link_name="nothing")
    assert answer.status_code == 404
    assert answer.json()["type"].endswith("/connection-not-found")


def test_a_person_is_named_by_the_token(paths):
    user = {"Console-User": paths.keys.user_token}
    assert paths.call("/of-a-person", "mine", headers=user).status_code == 200
    assert paths.item.received[0].all("Console-User") == []
    time.sleep(1.3)
    logged = "SELECT user_id FROM invocations_invocation WHERE path = '/api/of-a-person'"
    assert paths.console.rows(logged) == paths.console.rows("SELECT id FROM accounts_user")
    refused = paths.call(headers={"Console-User": "x" + paths.keys.user_token})
    assert refused.status_code == 401


def test_a_person_who_leaves_loses_access_within_a_second(paths):
    user = {"Console-User": paths.keys.user_token}
    assert paths.call(headers=user).status_code == 200
    paths.console.rows("UPDATE accounts_user SET is_active = 0")
    try:
        assert until(paths, 401, headers=user) <= 1.1
    finally:
        paths.console.rows("UPDATE accounts_user SET is_active = 1")


def test_the_token_of_one_call_is_not_used_for_another(paths):
    """With and without a person, and with another key: each has a route of its own."""
    calls = [{}, {"headers": {"Console-User": "no token"}}, {"key": paths.keys.stage}]
    expected = [200, 401, 404]
    for _ in range(3):
        assert [paths.call(**call).status_code for call in calls] == expected
