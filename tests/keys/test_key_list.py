from __future__ import annotations

import re
import time

import pytest
from django.urls import reverse
from django.utils.html import escape

from console.audit.models import Event
from console.keys.authentication import authenticate_key
from console.keys.issuing import revoke_key
from console.keys.key_format import PATTERN
from console.keys.models import ApiKey


@pytest.fixture
def place(application) -> str:
    return reverse("key_list", args=[application.pk])


def create(client, place: str, environment: str = "development", name: str = "Nightly import"):
    return client.post(place, {"name": name, "environment": environment})


def test_it_shows_the_key_once(developer_client, place):
    response = create(developer_client, place)
    assert response.status_code == 201
    text = re.search(PATTERN, response.content.decode())[0]
    assert authenticate_key(text).key_id == ApiKey.objects.get().pk
    assert "no-store" in response["Cache-Control"]

    again = developer_client.get(place)
    assert not re.search(PATTERN, again.content.decode())
    assert ApiKey.objects.get().prefix in again.content.decode()
    assert "Nightly import" in again.content.decode()
    assert "never used" in again.content.decode()
    assert "no-store" in again["Cache-Control"]


def test_the_key_stands_in_no_address_session_or_event(developer_client, place, caplog):
    response = create(developer_client, place)
    text = re.search(PATTERN, response.content.decode())[0]
    secret = text.rpartition("_")[2]
    assert "Location" not in response
    assert secret not in str(dict(developer_client.session))
    assert secret not in str(list(Event.objects.values()))
    assert secret not in caplog.text


def test_it_needs_a_name(developer_client, place):
    response = create(developer_client, place, name=" ")
    assert response.status_code == 422
    assert escape("Enter a name") in response.content.decode()
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("environment", ["production", "all", "", "x\0"])
def test_it_knows_two_environments(developer_client, place, environment):
    assert create(developer_client, place, environment).status_code == 422
    assert not ApiKey.objects.exists()


def test_a_third_is_refused_with_a_sentence(developer_client, place):
    create(developer_client, place)
    create(developer_client, place)
    response = create(developer_client, place)
    assert response.status_code == 409
    assert "has 2 valid keys in Development" in response.content.decode()
    assert ApiKey.objects.count() == 2


def test_nobody_smuggles_fields_in(developer_client, place, stranger_organization, super_admin):
    developer_client.post(
        place,
        {
            "name": "X",
            "environment": "development",
            "organization": stranger_organization.pk,
            "created_by": super_admin.pk,
            "digest": "0" * 64,
            "prefix": "dc_dev_x",
        },
    )
    key = ApiKey.objects.get()
    assert key.organization_id == key.application.organization_id
    assert key.created_by != super_admin
    assert (key.digest, key.prefix) != ("0" * 64, "dc_dev_x")


def grow_old(client) -> None:
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - 3600
    session.save()


def test_development_asks_for_no_password(developer_client, place):
    grow_old(developer_client)
    assert create(developer_client, place).status_code == 201


def test_stage_asks_for_the_password_and_goes_on(developer_client, place):
    grow_old(developer_client)
    response = create(developer_client, place, "stage")
    assert response.status_code == 302
    assert not ApiKey.objects.exists()

    shown = developer_client.post(response["Location"], {"password": "pass-word-1"})
    assert shown.status_code == 201
    text = re.search(PATTERN, shown.content.decode())[0]
    assert authenticate_key(text).environment == "stage"
    assert "no-store" in shown["Cache-Control"]


def test_it_lists_what_was_revoked(developer_client, place, key_of, developer):
    key, _ = key_of(name="Old importer")
    revoke_key(key, developer)
    page = developer_client.get(place).content.decode()
    assert "Old importer" in page
    assert f"by {developer}" in page
    assert reverse("key_revoke", args=[key.pk]) not in page


def test_the_application_leads_there(developer_client, application, place):
    assert place in developer_client.get(application.get_absolute_url()).content.decode()


def test_it_proposes_a_name_and_shows_how_to_call(developer_client, place, connect, grant):
    assert 'value="Key 1"' in developer_client.get(place).content.decode()
    connection = connect()
    grant(connection)
    page = create(developer_client, place).content.decode()
    text = re.search(PATTERN, page)[0]
    assert f"Bearer {text}" in page
    assert f"/api/v1/connections/{connection.link_name}/proxy/" in page
    assert reverse("connection_calls", args=[connection.pk]) in page
    assert 'value="Key 2"' in page
