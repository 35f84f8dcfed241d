from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse

from connections.models import OAuthClient
from connectors.registry import get_connectors
from console.readiness import refuse_wrong_keys

ADDRESS = reverse("readyz")
READY = {"database": "ok", "keys": "ok", "catalogue": "ok"}


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
    with pytest.raises(ImproperlyConfigured, match="does not open with any key"):
        refuse_wrong_keys()


def test_a_process_with_no_key_at_all_does_not_start(sealed, settings):
    settings.CRYPTOGRAPHY_KEYS = ["no key at all"]
    with pytest.raises(ImproperlyConfigured, match="must be one or more Fernet keys"):
        refuse_wrong_keys()


def test_the_old_key_may_stand_behind_a_new_one(sealed, settings):
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode(), *settings.CRYPTOGRAPHY_KEYS]
    refuse_wrong_keys()
