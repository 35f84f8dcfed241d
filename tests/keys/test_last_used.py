from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.keys import last_used
from console.keys.authentication import _holders, authenticate_key
from console.keys.models import ApiKey


@pytest.fixture(autouse=True)
def nothing_is_noted():
    last_used._used.clear()
    yield
    last_used._used.clear()


def use(text: str) -> None:
    _holders.clear()
    authenticate_key(text)


def test_it_is_written_after_the_answer(key_of, client):
    key, text = key_of()
    client.get("/api/v1/connections/", headers={"Authorization": f"Bearer {text}"})
    key.refresh_from_db()
    assert timezone.now() - key.last_used_at < timedelta(seconds=10)


def test_checking_writes_nothing(key_of):
    _, text = key_of()
    use(text)
    assert ApiKey.objects.get().last_used_at is None
    last_used.write()
    assert ApiKey.objects.get().last_used_at is not None


def test_it_is_written_once_a_minute(key_of):
    _, text = key_of()
    use(text)
    last_used.write()
    first = ApiKey.objects.get().last_used_at
    use(text)
    with CaptureQueriesContext(connection) as queries:
        last_used.write()
    assert (len(queries), ApiKey.objects.get().last_used_at) == (0, first)
    ApiKey.objects.update(last_used_at=first - timedelta(minutes=1))
    use(text)
    last_used.write()
    assert ApiKey.objects.get().last_used_at > first - timedelta(minutes=1)


def test_a_wrong_key_is_no_use(key_of, client):
    key_of()
    client.get("/api/v1/connections/", headers={"Authorization": "Bearer x"})
    assert ApiKey.objects.get().last_used_at is None
