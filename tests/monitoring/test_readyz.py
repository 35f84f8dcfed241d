from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connections.models import OAuthClient
from connectors.definitions.registry import get_connectors
from console.encryption.models import KeySentinel
from console.monitoring.readiness import (
    KEPT_SECONDS,
    PATIENCE_SECONDS,
    Known,
    known,
    refuse_wrong_keys,
)
from tests.connections.damage import damage

ADDRESS = reverse("readyz")
READY = {"database": "ok", "keys": "ok", "catalogue": "ok"}


@pytest.fixture(autouse=True)
def nothing_is_known_yet() -> Iterator[None]:
    known.clear()
    yield
    known.clear()


@pytest.fixture
def sealed(db) -> None:
    OAuthClient.objects.create(connector_slug="slack", client_id="c", client_secret="s")


def test_it_works(client, sealed):
    response = client.get(ADDRESS)
    assert (response.status_code, response.json()["parts"]) == (200, READY)


@pytest.mark.parametrize("keys", [[Fernet.generate_key().decode()], ["no key at all"]])
def test_it_says_that_the_keys_are_wrong(client, sealed, settings, keys):
    settings.CRYPTOGRAPHY_KEYS = keys
    response = client.get(ADDRESS)
    assert response.status_code == 503
    assert response.json() == {"status": "failed", "parts": READY | {"keys": "failed"}}
    assert keys[0] not in response.content.decode()


def test_it_says_that_the_catalogue_is_broken(client, db, settings, tmp_path):
    (tmp_path / "broken.toml").write_text("name = 1\nsurprise = true\n")
    settings.EXTRA_CATALOGUES = [str(tmp_path)]
    get_connectors.cache_clear()
    try:
        response = client.get(ADDRESS)
    finally:
        settings.EXTRA_CATALOGUES = []
        get_connectors.cache_clear()
    assert response.status_code == 503
    assert response.json()["parts"] == READY | {"catalogue": "failed"}


def test_a_process_with_wrong_keys_does_not_start(sealed, settings):
    refuse_wrong_keys()
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(ImproperlyConfigured, match="cannot be decrypted with any key"):
        refuse_wrong_keys()


def test_a_process_with_no_key_at_all_does_not_start(sealed, settings):
    settings.CRYPTOGRAPHY_KEYS = ["no key at all"]
    with pytest.raises(ImproperlyConfigured, match="must be one or more Fernet keys"):
        refuse_wrong_keys()


def test_the_old_key_may_stand_behind_a_new_one(sealed, settings):
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode(), *settings.CRYPTOGRAPHY_KEYS]
    refuse_wrong_keys()


def test_a_damaged_secret_is_no_wrong_key_ring(client, sealed):
    damage(OAuthClient.objects.get(), "client_secret")
    refuse_wrong_keys()
    assert client.get(ADDRESS).status_code == 200


def test_neither_is_it_where_there_is_no_sentinel_yet(client, sealed):
    damage(OAuthClient.objects.get(), "client_secret")
    KeySentinel.objects.all().delete()
    OAuthClient.objects.create(connector_slug="hubspot", client_id="c", client_secret="s")
    refuse_wrong_keys()
    assert client.get(ADDRESS).status_code == 200


@pytest.mark.parametrize("copy", KeySentinel.COPIES)
def test_neither_is_a_damaged_sentinel(client, sealed, copy):
    refuse_wrong_keys()
    damage(KeySentinel.objects.get(pk=copy), "value")
    refuse_wrong_keys()
    assert client.get(ADDRESS).status_code == 200


def test_migrating_writes_the_sentinel_before_there_is_anything_to_damage(db):
    assert KeySentinel.objects.count() == len(KeySentinel.COPIES)


def test_secrets_from_before_there_was_a_sentinel_vouch_for_the_keys(sealed, settings):
    KeySentinel.objects.all().delete()
    right = settings.CRYPTOGRAPHY_KEYS
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(ImproperlyConfigured, match="cannot be decrypted with any key"):
        refuse_wrong_keys()
    assert not KeySentinel.objects.exists()
    settings.CRYPTOGRAPHY_KEYS = right
    refuse_wrong_keys()
    assert KeySentinel.objects.count() == len(KeySentinel.COPIES)


def test_it_looks_at_no_secret(client, sealed):
    """As many rows are read for a million credentials as for none: those of the sentinel."""
    refuse_wrong_keys()
    with CaptureQueriesContext(connection) as queries:
        client.get(ADDRESS)
    tables = {name for query in queries for name in re.findall(r'FROM "(\w+)"', query["sql"])}
    assert tables == {"encryption_keysentinel"}


def test_who_asks_again_at_once_costs_nothing(client, sealed, django_assert_num_queries):
    client.get(ADDRESS)
    with django_assert_num_queries(0):
        for _ in range(20):
            assert client.get(ADDRESS).status_code == 200


def test_a_process_that_is_up_says_so_without_its_database(client):
    """Without the fixture ``db`` every query fails."""
    assert client.get(reverse("healthz")).status_code == 200


def test_one_looks_for_all_who_ask_together(at_once):
    looks = []

    def look() -> dict[str, str]:
        looks.append(1)
        time.sleep(0.1)
        return {}

    mine = Known(look)
    assert at_once(8, mine.get) == [{}] * 8
    assert len(looks) == 1


def test_a_look_that_hangs_keeps_nobody_else_waiting():
    hangs, goes_on = threading.Event(), threading.Event()

    def look() -> dict[str, str]:
        if hangs.is_set():
            goes_on.wait(10)
        return {}

    mine = Known(look)
    mine.get()
    hangs.set()
    mine._last = (mine._last[0] - KEPT_SECONDS, {})
    looking = threading.Thread(target=mine.get)
    looking.start()
    while not mine._looking.locked():
        time.sleep(0.001)
    assert mine.get() == {}
    mine._last = (mine._last[0] - PATIENCE_SECONDS, {})
    assert mine.get() == {"database": "It does not answer."}
    goes_on.set()
    looking.join()
