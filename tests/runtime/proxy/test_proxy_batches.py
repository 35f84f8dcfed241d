"""What was read counts for a second; then one query checks all that calls wait for."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from connections.calls import prepared_call
from connections.calls.errors import AuthorizationRequired
from connections.calls.lookup import Caller
from connections.models import Authorization, Connection, Credential
from console.accounts.models import Membership, User
from console.choices import Environment, Role
from console.keys import authentication, user_tokens
from console.keys.errors import KeyRefused, TokenRefused
from console.keys.key_format import generate_key
from console.keys.models import ApiKey
from console.runtime.proxy_call import CallThreads
from tests.runtime.proxy.program import TestThread, on_loop

CONNECTIONS = KEYS = 500
PEOPLE = 50


@pytest.fixture
def threads() -> CallThreads:
    return CallThreads(TestThread(), TestThread())


def at_once(*coroutines: Any) -> list[Any]:
    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*coroutines, return_exceptions=True)

    return on_loop(all_of_them())


@pytest.fixture
def caller(application) -> Caller:
    return Caller(
        application=application.pk,
        organization=application.organization_id,
        environment=Environment.DEVELOPMENT,
    )


@pytest.fixture
def names(connect, application, developer) -> list[str]:
    """The link names of many connections, each with an authorization of its own."""
    first = connect("sandbox_api_key", name="Orders", link_name="orders_0")
    fields = {field.attname: getattr(first, field.attname) for field in first._meta.fields}
    del fields["id"]
    numbers = range(1, CONNECTIONS)
    rows = [
        Connection(**fields | {"name": f"Orders {number}", "link_name": f"orders_{number}"})
        for number in numbers
    ]
    rows = [first, *Connection.objects.bulk_create(rows)]
    organization = application.organization
    credentials = Credential.objects.bulk_create(
        Credential(
            organization=organization, connector_slug=row.connector_slug, auth_type=row.auth_type,
            secret={"key": f"the-key-of-{row.link_name}"},
        )
        for row in rows
    )  # fmt: skip
    Authorization.objects.bulk_create(
        Authorization(
            connection=row, organization=organization, environment="all", authorized_by=developer,
            credential=credential,
        )
        for row, credential in zip(rows, credentials, strict=True)
    )  # fmt: skip
    return [row.link_name for row in rows]


@pytest.fixture
def due(threads, caller, names) -> list[str]:
    """The connections, a second after all of them were used."""
    ready = at_once(*(threads.preparation.call(caller, name) for name in names))
    assert {type(each) for each in ready} == {prepared_call.PreparedCall}
    prepared_call._prepared.expire()
    return names


def test_a_connection_is_checked_before_its_second_is_over(
    threads, caller, names, django_assert_num_queries
):
    async def call_and_pause() -> object:
        try:
            return await threads.preparation.call(caller, names[0])
        finally:
            await asyncio.sleep(0.01)

    (ready,) = at_once(call_and_pause())
    prepared_call._prepared.expire(seconds_left=60)
    with django_assert_num_queries(0):
        assert at_once(call_and_pause()) == [ready]

    prepared_call._prepared.expire(seconds_left=0.4)
    with django_assert_num_queries(1):
        assert at_once(call_and_pause()) == [ready]
    assert prepared_call.seconds_cached(ready) > 0.5

    # What has changed is noticed early as well: the next call is refused.
    prepared_call._prepared.expire(seconds_left=0.4)
    Authorization.objects.update(state="revoked", changed_at=timezone.now())
    at_once(call_and_pause())
    assert isinstance(at_once(call_and_pause())[0], AuthorizationRequired)


@pytest.mark.slow("reads 500 connections one after another before it begins")
def test_connections_that_are_due_together_are_checked_by_one_query(
    threads, caller, due, django_assert_num_queries
):
    with django_assert_num_queries(1):
        ready = at_once(*(threads.preparation.call(caller, name) for name in due))
    assert [each.secret["key"] for each in ready] == [f"the-key-of-{name}" for name in due]
    with django_assert_num_queries(0):
        at_once(*(threads.preparation.call(caller, name) for name in due))

    # One was revoked, one changed, one deleted: each of them is read, and the others are kept.
    prepared_call._prepared.expire()
    of = Authorization.objects.filter
    of(connection__link_name=due[7]).update(state="revoked", changed_at=timezone.now())
    credential = of(connection__link_name=due[8]).get().credential
    credential.secret, credential.version = {"key": "the-new-key"}, 2
    credential.save()
    of(connection__link_name=due[9]).delete()
    before = dict(zip(due, ready, strict=True))
    found = at_once(*(threads.preparation.call(caller, name) for name in due))
    for name, each in zip(due, found, strict=True):
        if name in {due[7], due[9]}:
            assert isinstance(each, AuthorizationRequired)
        elif name == due[8]:
            assert each.secret["key"] == "the-new-key"
        else:
            assert each is before[name]

    # While the database is away, nobody is served from what is too old; afterwards everybody is.
    prepared_call._prepared.expire()
    current = prepared_call._current

    def away(calls: Any) -> Any:
        raise OperationalError("away")

    prepared_call._current = away
    try:
        found = at_once(*(threads.preparation.call(caller, name) for name in due[:5]))
    finally:
        prepared_call._current = current
    assert {type(each) for each in found} == {OperationalError}
    found = at_once(*(threads.preparation.call(caller, name) for name in due[:5]))
    assert found == [before[name] for name in due[:5]]


def test_keys_that_are_due_together_are_checked_by_one_query(
    threads, application, developer, django_assert_num_queries
):
    made = [generate_key("development") for _ in range(KEYS)]
    ApiKey.objects.bulk_create(
        ApiKey(
            application=application, organization=application.organization, name="A program",
            environment="development", prefix=key.prefix, digest=key.digest, created_by=developer,
        )
        for key in made
    )  # fmt: skip
    keys = [key.text for key in made]
    holders = at_once(*(threads.holder(key) for key in keys))
    authentication._holders.expire()
    with django_assert_num_queries(1):
        assert at_once(*(threads.holder(key) for key in keys)) == holders

    authentication._holders.expire(seconds_left=0.4)
    assert at_once(*(threads.holder(key) for key in keys)) == holders
    assert authentication.seconds_cached(keys[0]) > 0.5

    authentication._holders.expire()
    ApiKey.objects.filter(prefix=holders[3].prefix).update(revoked_at=timezone.now())
    ApiKey.objects.filter(prefix=holders[4].prefix).update(digest="0" * 64)
    found = at_once(*(threads.holder(key) for key in keys))
    assert isinstance(found[3], KeyRefused) and isinstance(found[4], KeyRefused)
    assert found[:3] + found[5:] == holders[:3] + holders[5:]


def test_people_that_are_due_together_are_checked_by_one_query(
    threads, application, developer, django_assert_num_queries
):
    organization = application.organization
    users = User.objects.bulk_create(
        User(email=f"person-{number}@studio.example") for number in range(PEOPLE)
    )
    Membership.objects.bulk_create(
        Membership(user=user, organization=organization, role=Role.USER) for user in users
    )
    key = generate_key("development")
    ApiKey.objects.create(
        application=application, organization=organization, name="A program",
        environment="development", prefix=key.prefix, digest=key.digest, created_by=developer,
    )  # fmt: skip
    holder = authentication.authenticate_key(key.text)
    tokens = [
        user_tokens.token_for(user, application, organization, "development") for user in users
    ]

    def found() -> list[Any]:
        return at_once(*(threads.user(token, holder) for token in tokens))

    assert found() == users
    with django_assert_num_queries(0):
        assert found() == users
    user_tokens._users.expire()
    with django_assert_num_queries(1):
        assert found() == users
    user_tokens._users.expire(seconds_left=0.4)
    with django_assert_num_queries(1):
        assert found() == users
    assert user_tokens.seconds_cached(tokens[0], holder) > 0.5

    # One was deactivated, one left, one changed, and the token of one has expired.
    user_tokens._users.expire()
    User.objects.filter(pk=users[3].pk).update(is_active=False)
    Membership.objects.filter(user=users[4]).update(deactivated_at=timezone.now())
    User.objects.filter(pk=users[5].pk).update(email="other@studio.example")
    cache_key = user_tokens._cache_key(tokens[6], holder)
    user_tokens._users._entries[cache_key] = (0.0, (users[6], time.time() - 1))
    people = found()
    assert [type(people[number]) for number in (3, 4, 6)] == [TokenRefused] * 3
    assert people[5].email == "other@studio.example"
    assert people[:3] + people[7:] == users[:3] + users[7:]
