from __future__ import annotations

import base64
import json
from io import StringIO
from urllib.parse import quote

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection as database
from django.db import models

from connections.models import Connection, Credential, Flow, OAuthClient
from connections.views.authorize import BROWSER_SESSION_KEY
from console.accounts.models import Organization
from console.encryption.fernet_keys import SecretUnreadable, key_ring
from console.encryption.fields import Ciphertext, encrypted_fields
from tests.connections.flow_steps import begin

CANARY = 'canary-Ü"<&+/=7d1f'


def ciphertext(row: models.Model, field: str) -> str:
    return row._meta.get_field(field).value_to_string(type(row).objects.get(pk=row.pk))


def implant(row: models.Model, field: str, copied: str) -> models.Model:
    """Copy ciphertext into a row, as an attacker with write access to the database can."""
    type(row).objects.filter(pk=row.pk).update(**{field: Ciphertext(base64.b64decode(copied))})
    return type(row).objects.get(pk=row.pk)


@pytest.fixture
def client_of(db):
    def make(organization: Organization | None, connector: str = "slack") -> OAuthClient:
        return OAuthClient.objects.create(
            connector_slug=connector,
            organization=organization,
            client_id="c",
            client_secret=CANARY,
        )

    return make


def test_it_works(client_of, studio):
    row = OAuthClient.objects.get(pk=client_of(studio).pk)
    assert row.client_secret.reveal() == CANARY


def test_equal_secrets_have_different_ciphertexts(client_of, studio, stranger_organization):
    one, other = client_of(studio), client_of(stranger_organization)
    assert ciphertext(one, "client_secret") != ciphertext(other, "client_secret")


def test_it_cannot_be_decrypted_in_another_organization(client_of, studio, stranger_organization):
    one, other = client_of(studio), client_of(stranger_organization)
    moved = implant(other, "client_secret", ciphertext(one, "client_secret"))
    with pytest.raises(SecretUnreadable, match="another row"):
        moved.client_secret.reveal()


def test_it_cannot_be_decrypted_after_the_row_was_moved(client_of, studio, stranger_organization):
    row = client_of(studio)
    OAuthClient.objects.filter(pk=row.pk).update(organization=stranger_organization)
    with pytest.raises(SecretUnreadable):
        OAuthClient.objects.get(pk=row.pk).client_secret.reveal()


@pytest.mark.parametrize(
    ("column", "value"), [("connector_slug", "github"), ("host", "evil.example")]
)
def test_it_cannot_be_decrypted_for_another_service_or_host(client_of, studio, column, value):
    row = client_of(studio)
    OAuthClient.objects.filter(pk=row.pk).update(**{column: value})
    with pytest.raises(SecretUnreadable):
        OAuthClient.objects.get(pk=row.pk).client_secret.reveal()


def test_it_cannot_be_decrypted_in_another_field(connect, grant):
    credential = grant(connect("twilio")).credential
    moved = implant(credential, "journal", ciphertext(credential, "secret"))
    with pytest.raises(SecretUnreadable):
        moved.journal.reveal()


def test_it_cannot_be_decrypted_in_another_row(connect, grant):
    one, other = (grant(connect("twilio")).credential for _ in range(2))
    moved = implant(other, "secret", ciphertext(one, "secret"))
    with pytest.raises(SecretUnreadable):
        moved.secret.reveal()


def test_it_cannot_be_decrypted_with_another_key(client_of, studio, settings):
    row = client_of(studio)
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(SecretUnreadable, match="cannot be decrypted with any key"):
        OAuthClient.objects.get(pk=row.pk).client_secret.reveal()


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"gAAAAA" + b"x" * 100, bytes(range(256))])
def test_rubbish_cannot_be_decrypted(client_of, studio, rubbish):
    row = implant(client_of(studio), "client_secret", base64.b64encode(rubbish).decode())
    with pytest.raises(SecretUnreadable):
        row.client_secret.reveal()


@pytest.mark.parametrize("keys", [["short"], [""], ["not base64 at all!" * 3]])
def test_it_refuses_malformed_keys(settings, keys):
    settings.CRYPTOGRAPHY_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="CRYPTOGRAPHY_KEYS") as raised:
        key_ring()
    assert keys[0] == "" or keys[0] not in str(raised.value)


def test_str_repr_and_json_hide_the_secret(client_of, studio):
    new = OAuthClient(connector_slug="slack", client_id="c", client_secret=CANARY)
    for row in (new, OAuthClient.objects.get(pk=client_of(studio).pk)):
        shown = f"{row} {row!r} {row.client_secret} {row.client_secret!r}"
        assert CANARY not in shown
        with pytest.raises(TypeError):
            json.dumps(row.client_secret)


def test_it_cannot_be_written_without_its_row(client_of, studio):
    client_of(studio)
    with pytest.raises(TypeError, match="needs its row"):
        OAuthClient.objects.update(client_secret=CANARY)


def test_a_row_that_is_saved_again_keeps_its_secret(client_of, studio):
    row = OAuthClient.objects.get(pk=client_of(studio).pk)
    before = ciphertext(row, "client_secret")
    row.client_id = "another"
    row.save()
    assert ciphertext(row, "client_secret") == before
    assert OAuthClient.objects.get().client_secret.reveal() == CANARY


def test_it_lists_every_encrypted_field():
    assert {(model.__name__, field.name) for model, field in encrypted_fields()} == {
        ("OAuthClient", "client_secret"),
        ("Credential", "secret"),
        ("Credential", "journal"),
        ("Flow", "code_verifier"),
        ("PendingGrant", "grant"),
        ("KeySentinel", "value"),
        ("TokenKey", "private"),
        ("Webhook", "secret"),
    }


@pytest.fixture
def filled(developer_client, connect, grant) -> Connection:
    """Store the canary in every encrypted field of the connections."""
    OAuthClient.objects.create(connector_slug="slack", client_id="c", client_secret=CANARY)
    connection = connect("slack", scopes=["chat:write"])
    credential = grant(connection, secret={"access_token": CANARY}).credential
    credential.journal = CANARY
    credential.save()
    begin(developer_client, connection)
    flow = Flow.objects.get()
    flow.code_verifier = CANARY
    flow.save()
    return connection


def encodings(text: str) -> list[bytes]:
    raw = text.encode()
    return [
        raw,
        base64.b64encode(raw),
        base64.urlsafe_b64encode(raw).rstrip(b"="),
        raw.hex().encode(),
        quote(text, safe="").encode(),
        json.dumps(text)[1:-1].encode(),
        text.encode("utf-16-le"),
    ]


def contents_of_the_database() -> bytes:
    """Read every column of every table; binary columns unchanged."""
    found = []
    with database.cursor() as cursor:
        for table in database.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")
            for row in cursor.fetchall():
                for value in row:
                    is_binary = isinstance(value, bytes | memoryview)
                    found.append(bytes(value) if is_binary else str(value).encode())
    return b"\n".join(found)


def test_the_database_holds_no_secret(filled, developer_client):
    Connection.objects.update(name="positive-control")
    stored = contents_of_the_database()
    assert b"positive-control" in stored
    browser = developer_client.session[BROWSER_SESSION_KEY]
    for form in encodings(CANARY):
        assert form not in stored
    assert Flow.objects.get().browser_hash.encode() in stored
    assert browser not in [Flow.objects.get().browser_hash]


def test_no_page_holds_a_secret(filled, developer_client, operator, signed_in):
    authorization = filled.authorizations.get()
    client = OAuthClient.objects.get()
    pages = [
        developer_client.get(address)
        for address in (
            "/",
            "/microservices/",
            filled.get_absolute_url(),
            f"/connections/{filled.pk}/authorize/",
            f"/connections/{filled.pk}/delete/",
            f"/authorizations/{authorization.pk}/revoke/",
            Flow.objects.get().get_absolute_url(),
        )
    ]
    admin = signed_in(operator)
    for address in ("", f"{client.pk}/change/", f"{client.pk}/history/", f"{client.pk}/delete/"):
        pages.append(admin.get(f"/admin/connections/oauthclient/{address}"))
    for page in pages:
        assert page.status_code == 200
        for form in encodings(CANARY):
            assert form not in page.content
        assert b"gAAAAA" not in page.content


def test_a_dump_holds_no_secret_and_can_be_loaded(filled, tmp_path):
    dump = tmp_path / "dump.json"
    call_command("dumpdata", "--natural-foreign", "-o", dump, verbosity=0)
    for form in encodings(CANARY):
        assert form not in dump.read_bytes()
    for model in (Flow, Credential, OAuthClient):
        model.objects.all().delete()

    call_command("loaddata", dump, verbosity=0)

    assert OAuthClient.objects.get().client_secret.reveal() == CANARY
    credential = Credential.objects.get()
    assert credential.secret.reveal() == {"access_token": CANARY}
    assert credential.journal.reveal() == CANARY
    assert Flow.objects.get().code_verifier.reveal() == CANARY


def test_a_dump_cannot_be_decrypted_with_another_key(filled, tmp_path, settings):
    dump = StringIO()
    call_command("dumpdata", "connections", stdout=dump)
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    Credential.objects.all().delete()
    file = tmp_path / "dump.json"
    file.write_text(dump.getvalue())
    call_command("loaddata", file, verbosity=0)
    with pytest.raises(SecretUnreadable):
        Credential.objects.get().secret.reveal()
