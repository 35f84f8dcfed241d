from __future__ import annotations

import pytest
from django.urls import reverse

from console.audit.actions import AuditAction
from console.audit.models import Event
from console.keys.authentication import _holders, authenticate_key
from console.keys.errors import KeyRefused
from console.keys.models import ApiKey


@pytest.fixture
def made(key_of):
    return key_of(name="Importer")


def place(key: ApiKey) -> str:
    return reverse("key_revoke", args=[key.pk])


def test_it_says_what_stops(developer_client, made):
    page = developer_client.get(place(made[0])).content.decode()
    assert made[0].prefix in page
    assert "never used" in page
    assert ApiKey.objects.get().revoked_at is None


def test_it_ends_the_key(developer_client, made):
    key, text = made
    response = developer_client.post(place(key))
    assert (response.status_code, response["Location"]) == (
        303,
        reverse("key_list", args=[key.application_id]),
    )
    _holders.clear()
    with pytest.raises(KeyRefused):
        authenticate_key(text)
    assert Event.objects.filter(action=AuditAction.API_KEY_REVOKED).count() == 1


def test_twice_is_once(developer_client, made):
    for _ in range(2):
        developer_client.post(place(made[0]))
    assert Event.objects.filter(action=AuditAction.API_KEY_REVOKED).count() == 1
    assert "was revoked" in developer_client.get(place(made[0])).content.decode()


def test_others_cannot(signed_in, stranger, made):
    assert signed_in(stranger).post(place(made[0])).status_code == 404
    assert ApiKey.objects.get().revoked_at is None
