from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
import responses
from cryptography.fernet import Fernet
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from connections.models import Authorization, Connection, Credential, OAuthClient
from console.audit.actions import AuditAction
from console.audit.models import Event
from tests.connections.flow_steps import words_of

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
    assert "Sandbox has revoked the access, and the credential is erased here." in page
    assert sandbox.counts()["revoke"] == 2, "the refresh token and the access token"
    assert revocation_event().details["answer"] == "revoked"
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


@pytest.mark.parametrize(
    ("mode", "answer", "words"),
    [
        ("500", "no answer", "Sandbox has a problem of its own (status 500)."),
        ("html", "revoked", "Sandbox has revoked the access"),
        ("redirect", "no answer", "Sandbox redirected to another URL"),
    ],
)
def test_it_is_erased_here_whatever_the_service_answers(
    developer_client, connection, sandbox, mode, answer, words
):
    sandbox.switches(revoke=mode)
    page = words_of(developer_client.post(address(connection), follow=True))
    assert not Credential.objects.exists()
    assert "is no longer authorized" in page
    assert words in page
    assert ("The access token may work until " in page) == (answer != "revoked")
    assert revocation_event().details["answer"] == answer
    assert sandbox.counts()["elsewhere"] == 0


def test_it_is_erased_here_when_the_service_is_down(developer_client, connection, settings):
    settings.ALLOWED_PRIVATE_HOSTS = []  # the service cannot be reached
    page = words_of(developer_client.post(address(connection), follow=True))
    assert not Credential.objects.exists()
    assert "Remove the access in your account at Sandbox, too." in page
    assert revocation_event().details["answer"] == "not asked"


def test_it_is_erased_if_the_secret_is_unreadable(developer_client, connection, settings):
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    assert developer_client.post(address(connection)).status_code == 303
    assert not Credential.objects.exists()


def test_two_requests_revoke_once_at_the_service(developer_client, connection, sandbox):
    developer_client.post(address(connection))
    asked = sandbox.counts()["revoke"]
    page = words_of(developer_client.post(address(connection), follow=True))
    assert "nothing left to revoke" in page
    assert sandbox.counts()["revoke"] == asked


def test_a_typed_credential_is_erased_here(developer_client, connect, grant, sandbox):
    connection = connect("sandbox_basic")
    grant(connection, secret={"username": "alice", "password": "x"})
    page = words_of(developer_client.post(address(connection), follow=True))
    assert "only you can change or delete it there" in page
    assert not Credential.objects.exists()
    event = Event.objects.get(action=AuditAction.AUTHORIZATION_REVOKED)
    assert "It still works at Sandbox Basic" in event.details["at_the_service"]


def test_a_credential_that_another_authorization_uses_stays(
    developer_client, connection, connect, sandbox
):
    other = connect()
    credential = Credential.objects.get()
    authorization = connection.authorizations.get()
    authorization.pk, authorization.connection = None, other
    authorization.save(force_insert=True)

    for page in (
        words_of(developer_client.get(address(connection))),
        words_of(developer_client.post(address(connection), follow=True)),
    ):
        assert "alice@example.com stays connected at Sandbox" in page

    assert Credential.objects.get() == credential
    assert sandbox.counts()["revoke"] == 0
    assert "stays connected" in Event.objects.latest("number").details["at_the_service"]


@pytest.fixture
def elsewhere(connect, grant):
    """Return a factory for an authorized connection to a real service, with a token for an hour."""

    def make(slug: str, **fields):
        OAuthClient.objects.create(connector_slug=slug, client_id="id", client_secret="a-secret-1")
        connection = connect(slug)
        fields = {"expires_at": timezone.now() + timedelta(hours=1), "kept": KEPT} | fields
        return grant(connection, **fields).connection

    return make


KEPT = {"accounts_server": "https://accounts.zoho.eu", "api_domain": "https://www.zohoapis.eu"}


def until(credential: Credential) -> str:
    """Format the expiry of an access token as pages do."""
    ends = timezone.localtime(credential.expires_at)
    form = "H:i" if ends.date() == timezone.localdate() else "j F Y, H:i"
    return f"The access token may work until {date_format(ends, form)} UTC."


def test_it_says_that_the_service_cannot_revoke(developer_client, elsewhere):
    connection = elsewhere("microsoft_outlook")
    lives = until(Credential.objects.get())

    before = words_of(developer_client.get(address(connection)))
    after = words_of(developer_client.post(address(connection), follow=True))

    for page in (before, after):
        assert "Microsoft Outlook has no way to revoke access from here." in page
        assert lives in page
        assert "The console asks" not in page
    event = Event.objects.get(action=AuditAction.AUTHORIZATION_REVOKED)
    assert "has no way to revoke access" in event.details["at_the_service"]
    assert not Event.objects.filter(action=AuditAction.CREDENTIAL_REVOCATION_ASKED).exists()


def test_it_says_until_when_the_access_token_works(developer_client, elsewhere):
    connection = elsewhere("zoho_crm", expires_at=timezone.now() + timedelta(minutes=40))
    lives = until(Credential.objects.get())
    assert lives in words_of(developer_client.get(address(connection)))

    with responses.RequestsMock() as service:
        service.post("https://accounts.zoho.eu/oauth/v2/token/revoke", json={"status": "success"})
        page = words_of(developer_client.post(address(connection), follow=True))
        assert len(service.calls) == 1

    assert "Zoho CRM has revoked the refresh token" in page
    assert lives in page
    assert revocation_event().details["answer"] == "partly revoked"


@pytest.mark.parametrize(
    ("expires_in", "words"),
    [
        (timedelta(seconds=-1), "Zoho CRM has revoked the access"),
        (None, "may still work: Zoho CRM did not say for how long."),
        (timedelta(days=40), str((timezone.now() + timedelta(days=40)).year)),
    ],
)
def test_it_says_how_long_the_access_token_is_valid(developer_client, elsewhere, expires_in, words):
    connection = elsewhere("zoho_crm", expires_at=expires_in and timezone.now() + expires_in)

    with responses.RequestsMock() as service:
        service.post("https://accounts.zoho.eu/oauth/v2/token/revoke", json={"status": "success"})
        assert words in words_of(developer_client.post(address(connection), follow=True))


def test_it_says_that_only_the_refresh_token_was_revoked(developer_client, elsewhere):
    connection = elsewhere("gmail")
    lives = until(Credential.objects.get())

    with responses.RequestsMock() as service:
        endpoint = "https://oauth2.googleapis.com/revoke"
        service.post(endpoint, match=[form(token="a-refresh-token")])
        no = {"error": "unsupported_token_type"}
        service.post(endpoint, json=no, status=400, match=[form(token="an-access-token")])
        page = words_of(developer_client.post(address(connection), follow=True))

    assert "Gmail has revoked the refresh token, but not the access token" in page
    assert "unsupported_token_type" in page
    assert lives in page
    assert revocation_event().details["answer"] == "partly revoked"


def test_it_says_that_the_service_refused(developer_client, elsewhere):
    connection = elsewhere("gmail")

    with responses.RequestsMock() as service:
        service.post(
            "https://oauth2.googleapis.com/revoke", json={"error": "invalid_client"}, status=401
        )
        page = words_of(developer_client.post(address(connection), follow=True))

    assert "does not accept this console's OAuth client (invalid_client)" in page
    assert "Remove the access in your account at Gmail, too." in page
    assert revocation_event().details["answer"] == "refused"
    assert not Credential.objects.exists()


def revocation_event() -> Event:
    """Return the event with the answer of the service."""
    return Event.objects.get(action=AuditAction.CREDENTIAL_REVOCATION_ASKED)


def form(**fields: str):
    """Match requests whose form contains these fields."""
    return lambda request: (
        fields.items() <= dict(parse_qsl(request.body)).items(),
        "The form holds something else.",
    )
