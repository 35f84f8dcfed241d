"""Type the credential of a service without OAuth 2."""

from __future__ import annotations

import time

import pytest
from django.urls import reverse

from connections.models import Connection, Credential
from tests.connections.flow_steps import words_of


def page(connection: Connection) -> str:
    return reverse("connection_authorize", args=[connection.pk])


TYPED = {
    "sandbox_basic": {"username": "alice", "password": "open-sesame-1"},
    "sandbox_api_key": {"key": "open-sesame-1"},
}


@pytest.mark.parametrize("slug", TYPED)
def test_typed_credentials_are_checked_and_stored(developer_client, connect, sandbox, slug):
    connection = connect(slug)
    response = developer_client.post(page(connection), TYPED[slug], follow=True)

    assert "is authorized as alice@example.com" in words_of(response)
    assert "open-sesame-1" not in response.content.decode()
    credential = connection.authorizations.get().credential
    assert credential.secret.reveal() == TYPED[slug]
    assert sandbox.counts()["api"] == 1


@pytest.mark.parametrize("slug", TYPED)
def test_wrong_credentials_are_neither_stored_nor_shown(developer_client, connect, sandbox, slug):
    connection = connect(slug)
    wrong = TYPED[slug] | {next(reversed(TYPED[slug])): "canary-wrong-secret"}

    response = developer_client.post(page(connection), wrong)

    assert response.status_code == 422
    assert "Sandbox" in words_of(response)
    assert "Nothing was changed" in words_of(response)
    assert "canary-wrong-secret" not in response.content.decode()
    assert not Credential.objects.exists()


@pytest.mark.parametrize("mode", ["500", "html", "empty", "redirect", "revoked"])
def test_credentials_are_not_stored_if_the_service_fails(developer_client, connect, sandbox, mode):
    sandbox.switches(api=mode)
    connection = connect("sandbox_basic")
    response = developer_client.post(page(connection), TYPED["sandbox_basic"])
    assert response.status_code == 422
    assert sandbox.counts()["elsewhere"] == 0
    assert not Credential.objects.exists()


@pytest.mark.parametrize("value", ["", "line\r\nX-Evil: 1", "nul\0", "x" * 8_193, "漢字"])
def test_it_accepts_any_characters_in_a_credential(developer_client, connect, sandbox, value):
    connection = connect("sandbox_api_key")
    response = developer_client.post(page(connection), {"key": value})
    assert response.status_code == 422
    assert not Credential.objects.exists()


@pytest.mark.parametrize(
    "pasted",
    [
        " open-sesame-1\r\n",
        "\ufeffopen-sesame-1\u200b",
        "\u00a0open-sesame-1",
        "X-Sandbox-Key: open-sesame-1",
    ],
)
def test_a_pasted_key_is_stored_without_prefix_and_spaces(
    developer_client, connect, sandbox, pasted
):
    connection = connect("sandbox_api_key")
    header = connection.connector.api_key.signing.header
    form = {"key": pasted.replace("X-Sandbox-Key", header)}
    assert developer_client.post(page(connection), form).status_code == 303
    assert connection.authorizations.get().credential.secret.reveal() == {"key": "open-sesame-1"}


def test_a_pasted_user_name_and_password_are_stored_without_spaces(
    developer_client, connect, sandbox
):
    connection = connect("sandbox_basic")
    form = {"username": "alice\u00a0", "password": "\ufeffopen-sesame-1\n"}
    assert developer_client.post(page(connection), form).status_code == 303
    credential = connection.authorizations.get().credential
    assert credential.secret.reveal() == TYPED["sandbox_basic"]


def test_a_key_of_8192_characters_reaches_the_service(developer_client, connect, sandbox):
    connection = connect("sandbox_api_key")
    response = developer_client.post(page(connection), {"key": "e" * 8_192})
    assert "Sandbox API Key refused this key" in words_of(response)
    assert sandbox.counts()["api"] == 1


def test_the_fields_have_no_maxlength(developer_client, connect, sandbox):
    for slug in TYPED:
        form = developer_client.get(page(connect(slug))).context["form"]
        assert all("maxlength" not in str(box) for box in form.credential_boxes())


def test_replacing_a_credential_asks_for_the_password_and_continues(
    developer_client, connect, sandbox
):
    connection = connect("sandbox_api_key")
    developer_client.post(page(connection), TYPED["sandbox_api_key"])
    before = connection.authorizations.get().credential_id
    session = developer_client.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - 3600
    session.save()

    asked = developer_client.post(page(connection), TYPED["sandbox_api_key"])
    assert asked.status_code == 302
    assert connection.authorizations.get().credential_id == before

    done = developer_client.post(asked["Location"], {"password": "pass-word-1"})
    assert done["Location"] == connection.get_absolute_url()
    assert connection.authorizations.get().credential_id != before
