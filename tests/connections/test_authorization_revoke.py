from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.urls import reverse

from connections.models import Authorization, Connection, Credential
from tests.connections.flowing import words_of

pytestmark = pytest.mark.usefixtures("oauth_client")


def address(connection: Connection) -> str:
    return reverse("authorization_revoke", args=[connection.authorizations.get().pk])


def test_it_works(developer_client, connection, sandbox, alice):
    secret = Credential.objects.get().secret.reveal()

    page = words_of(developer_client.post(address(connection), follow=True))

    authorization = connection.authorizations.get()
    assert authorization.state == Authorization.State.REVOKED
    assert authorization.reason == "Revoked by developer@studio.example."
    assert not Credential.objects.exists()
    assert "Sandbox has withdrawn the access." in page
    assert sandbox.counts()["revoke"] >= 1
    api = alice.get(
        f"{sandbox.url}/api/me",
        headers={"Authorization": f"Bearer {secret['access_token']}"},
        timeout=10,
    )
    assert api.status_code == 401


def test_it_asks_before_it_does_anything(developer_client, connection, sandbox):
    response = developer_client.get(address(connection))
    assert response.status_code == 200
    assert "alice@example.com" in words_of(response)
    assert sandbox.counts()["revoke"] == 0
    assert Credential.objects.exists()


@pytest.mark.parametrize("mode", ["500", "html", "redirect"])
def test_it_is_erased_here_whatever_the_service_says(developer_client, connection, sandbox, mode):
    sandbox.switches(revoke=mode)
    page = words_of(developer_client.post(address(connection), follow=True))
    assert not Credential.objects.exists()
    assert "is not authorized any more" in page
    assert sandbox.counts()["elsewhere"] == 0


def test_it_is_erased_here_when_the_service_is_down(developer_client, connection, settings):
    settings.ALLOWED_PRIVATE_HOSTS = []  # no way leads there any more
    page = words_of(developer_client.post(address(connection), follow=True))
    assert not Credential.objects.exists()
    assert "withdraw it in your account at Sandbox" in page


def test_it_is_erased_where_it_does_not_open(developer_client, connection, settings):
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    assert developer_client.post(address(connection)).status_code == 303
    assert not Credential.objects.exists()


def test_doing_it_twice_asks_the_service_once(developer_client, connection, sandbox):
    developer_client.post(address(connection))
    asked = sandbox.counts()["revoke"]
    page = words_of(developer_client.post(address(connection), follow=True))
    assert "nothing left to revoke" in page
    assert sandbox.counts()["revoke"] == asked


def test_a_typed_credential_is_erased_here(developer_client, connect, grant, sandbox):
    connection = connect("sandbox_basic")
    grant(connection, secret={"username": "alice", "password": "x"})
    page = words_of(developer_client.post(address(connection), follow=True))
    assert "was not told: change it there" in page
    assert not Credential.objects.exists()
