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
    CachedFaults,
    cached_faults,
    refuse_wrong_keys,
)
from tests.connections.damage import damage

URL = reverse("readyz")
READY = {"database": "ok", "keys": "ok", "catalogue": "ok"}


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cached_faults.clear()
    yield
    cached_faults.clear()


@pytest.fixture
def sealed(db) -> None:
    OAuthClient.objects.create(connector_slug="slack", client_id="c", client_secret="s")


def test_it_works(client, sealed):
    response = client.get(URL)
    assert (response.status_code, response.json()["parts"]) == (200, READY)


@pytest.mark.parametrize("keys", [[Fernet.generate_key().decode()], ["no key at all"]])
def test_it_says_that_the_keys_are_wrong(client, sealed, settings, keys):
    settings.CRYPTOGRAPHY_KEYS = keys
    response = client.get(URL)
    assert response.status_code == 503
    assert response.json() == {"status": "failed", "parts": READY | {"keys": "failed"}}
    assert keys[0] not in response.content.decode()


def test_it_says_that_the_catalogue_is_broken(client, db, settings, tmp_path):
    (tmp_path / "broken.toml").write_text("name = 1\nsurprise = true\n")
    settings.EXTRA_CATALOGUES = [str(tmp_path)]
    get_connectors.cache_clear()
    try:
        response = client.get(URL)
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


def test_a_process_without_keys_does_not_start(sealed, settings):
    settings.CRYPTOGRAPHY_KEYS = ["no key at all"]
    with pytest.raises(ImproperlyConfigured, match="must be one or more Fernet keys"):
        refuse_wrong_keys()


def test_an_old_key_may_follow_a_new_one(sealed, settings):
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode(), *settings.CRYPTOGRAPHY_KEYS]
    refuse_wrong_keys()


def test_a_damaged_secret_does_not_mean_wrong_keys(client, sealed):
    damage(OAuthClient.objects.get(), "client_secret")
    refuse_wrong_keys()
    assert client.get(URL).status_code == 200


def test_a_missing_sentinel_does_not_mean_wrong_keys(client, sealed):
    damage(OAuthClient.objects.get(), "client_secret")
    KeySentinel.objects.all().delete()
    OAuthClient.objects.create(connector_slug="hubspot", client_id="c", client_secret="s")
    refuse_wrong_keys()
    assert client.get(URL).status_code == 200


@pytest.mark.parametrize("copy", KeySentinel.COPIES)
def test_a_damaged_sentinel_does_not_mean_wrong_keys(client, sealed, copy):
    refuse_wrong_keys()
    damage(KeySentinel.objects.get(pk=copy), "value")
    refuse_wrong_keys()
    assert client.get(URL).status_code == 200


def test_migrate_writes_the_sentinel(db):
    assert KeySentinel.objects.count() == len(KeySentinel.COPIES)


def test_existing_secrets_verify_the_keys_before_the_sentinel_is_written(sealed, settings):
    KeySentinel.objects.all().delete()
    right = settings.CRYPTOGRAPHY_KEYS
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(ImproperlyConfigured, match="cannot be decrypted with any key"):
        refuse_wrong_keys()
    assert not KeySentinel.objects.exists()
    settings.CRYPTOGRAPHY_KEYS = right
    refuse_wrong_keys()
    assert KeySentinel.objects.count() == len(KeySentinel.COPIES)


def test_it_reads_no_secrets(client, sealed):
    """It reads only the sentinel, so the time does not depend on the number of secrets."""
    refuse_wrong_keys()
    with CaptureQueriesContext(connection) as queries:
        client.get(URL)
    tables = {name for query in queries for name in re.findall(r'FROM "(\w+)"', query["sql"])}
    assert tables == {"encryption_keysentinel"}


def test_the_result_is_cached_for_a_few_seconds(client, sealed, django_assert_num_queries):
    client.get(URL)
    with django_assert_num_queries(0):
        for _ in range(20):
            assert client.get(URL).status_code == 200


def test_healthz_works_without_a_database(client):
    """Without the fixture ``db`` every query fails."""
    assert client.get(reverse("healthz")).status_code == 200


def test_one_check_serves_concurrent_requests(at_once):
    checks = []

    def check() -> dict[str, str]:
        checks.append(1)
        time.sleep(0.1)
        return {}

    cached = CachedFaults(check)
    assert at_once(8, cached.get) == [{}] * 8
    assert len(checks) == 1


def test_a_check_that_hangs_does_not_block_other_requests():
    hangs, release = threading.Event(), threading.Event()

    def check() -> dict[str, str]:
        if hangs.is_set():
            release.wait(10)
        return {}

    cached = CachedFaults(check)
    cached.get()
    hangs.set()
    cached._last = (cached._last[0] - KEPT_SECONDS, {})
    checking = threading.Thread(target=cached.get)
    checking.start()
    while not cached._check_lock.locked():
        time.sleep(0.001)
    assert cached.get() == {}
    cached._last = (cached._last[0] - PATIENCE_SECONDS, {})
    assert cached.get() == {"database": "The check timed out."}
    release.set()
    checking.join()
