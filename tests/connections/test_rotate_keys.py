from __future__ import annotations

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from connections.models import Credential, OAuthClient
from connections.sealing import SecretUnreadable


@pytest.fixture
def rows(connect, grant) -> None:
    """Four secrets in three tables' worth of rows, under the key of the tests."""
    OAuthClient.objects.create(connector_slug="slack", client_id="c", client_secret="one")
    for value in ("two", "three"):
        grant(connect("twilio"), secret={"auth_token": value})
    with_journal = Credential.objects.first()
    with_journal.journal = "four"
    with_journal.save()


def rotate(*arguments: str) -> str:
    said = StringIO()
    call_command("rotate_keys", *arguments, stdout=said, stderr=said)
    return said.getvalue()


def revealed() -> list[object]:
    values = [OAuthClient.objects.get().client_secret.reveal()]
    for row in Credential.objects.all():
        values.append(row.secret.reveal()["auth_token"])
        if row.journal:
            values.append(row.journal.reveal())
    return sorted(values)


ALL = ["four", "one", "three", "two"]


def test_it_works(rows, settings):
    old, new = settings.CRYPTOGRAPHY_KEYS[0], Fernet.generate_key().decode()
    settings.CRYPTOGRAPHY_KEYS = [new, old]

    assert "4 secrets are under the first key" in rotate()

    settings.CRYPTOGRAPHY_KEYS = [new]
    assert revealed() == ALL


def test_it_may_be_run_again(rows, settings):
    new = Fernet.generate_key().decode()
    settings.CRYPTOGRAPHY_KEYS = [new, *settings.CRYPTOGRAPHY_KEYS]
    rotate()
    rotate()
    settings.CRYPTOGRAPHY_KEYS = [new]
    assert revealed() == ALL


def test_a_dry_run_writes_nothing(rows, settings):
    new = Fernet.generate_key().decode()
    settings.CRYPTOGRAPHY_KEYS = [new, *settings.CRYPTOGRAPHY_KEYS]

    assert "4 secrets would be" in rotate("--dry-run")

    settings.CRYPTOGRAPHY_KEYS = [new]
    with pytest.raises(SecretUnreadable):
        revealed()


def test_it_names_what_does_not_open(rows, settings):
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="4 secrets do not open"):
        rotate()


def test_what_opens_is_rotated_beside_what_does_not(rows, connect, grant, settings):
    old, new = settings.CRYPTOGRAPHY_KEYS[0], Fernet.generate_key().decode()
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    lost = grant(connect("twilio"), secret={"auth_token": "lost"}).credential
    settings.CRYPTOGRAPHY_KEYS = [new, old]
    with pytest.raises(CommandError, match="1 secrets do not open"):
        rotate()
    settings.CRYPTOGRAPHY_KEYS = [new]
    Credential.objects.filter(pk=lost.pk).delete()
    assert revealed() == ALL
