from __future__ import annotations

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from connections.models import Credential, OAuthClient
from console.encryption.fernet_keys import SecretUnreadable
from console.encryption.models import ScanProgress
from console.monitoring.readiness import refuse_wrong_keys
from tests.connections.damage import damage


@pytest.fixture
def rows(connect, grant) -> None:
    """Create four secrets in three rows, encrypted with the key of the tests."""
    OAuthClient.objects.create(connector_slug="slack", client_id="c", client_secret="one")
    for value in ("two", "three"):
        grant(connect("twilio"), secret={"auth_token": value})
    with_journal = Credential.objects.first()
    with_journal.journal = "four"
    with_journal.save()


def rotate(*arguments: str) -> str:
    output = StringIO()
    call_command("rotate_keys", *arguments, stdout=output, stderr=output)
    return output.getvalue()


def revealed() -> list[object]:
    values = [OAuthClient.objects.get().client_secret.reveal()]
    for row in Credential.objects.all():
        values.append(row.secret.reveal()["auth_token"])
        if row.journal:
            values.append(row.journal.reveal())
    return sorted(values)


def ciphertexts() -> list[bytes]:
    return [bytes(row) for row in Credential.objects.values_list("secret", flat=True)]


ALL = ["four", "one", "three", "two"]


def test_it_works(rows, settings):
    old, new = settings.CRYPTOGRAPHY_KEYS[0], Fernet.generate_key().decode()
    settings.CRYPTOGRAPHY_KEYS = [new, old]

    assert "4 secrets are encrypted with the first key" in rotate()

    settings.CRYPTOGRAPHY_KEYS = [new]
    assert revealed() == ALL


def test_it_can_be_run_again(rows, settings):
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


def test_it_refuses_a_wrong_key_ring(rows, settings):
    before = ciphertexts()
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="cannot be decrypted with any key"):
        rotate()
    assert ciphertexts() == before


def test_the_console_can_continue_without_a_lost_key(rows, connect, grant, settings):
    rotate()
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="4 secrets cannot be decrypted"):
        rotate("--keys-are-lost")
    refuse_wrong_keys()
    grant(connect("twilio"), secret={"auth_token": "five"}).credential.secret.reveal()


def test_readable_secrets_are_rotated_although_others_are_unreadable(
    rows, connect, grant, settings
):
    old, new = settings.CRYPTOGRAPHY_KEYS[0], Fernet.generate_key().decode()
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    lost = grant(connect("twilio"), secret={"auth_token": "lost"}).credential
    settings.CRYPTOGRAPHY_KEYS = [new, old]
    with pytest.raises(CommandError, match="1 secrets cannot be decrypted"):
        rotate()
    settings.CRYPTOGRAPHY_KEYS = [new]
    Credential.objects.filter(pk=lost.pk).delete()
    assert revealed() == ALL


def test_an_unreadable_secret_is_reported_and_skipped(rows, settings):
    damaged = Credential.objects.order_by("pk")[0]
    damage(damaged, "secret")
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode(), *settings.CRYPTOGRAPHY_KEYS]
    output = StringIO()
    with pytest.raises(CommandError, match="1 secrets cannot be decrypted"):
        call_command("rotate_keys", stdout=output, stderr=output)
    named = output.getvalue()
    assert f"secret of credential “alice@example.com” of Studio ({damaged.pk})" in named
    assert "3 secrets are encrypted with the first key" in named


def test_the_old_key_can_be_removed_only_after_the_rotation(rows, settings):
    old, new = settings.CRYPTOGRAPHY_KEYS[0], Fernet.generate_key().decode()
    refuse_wrong_keys()
    settings.CRYPTOGRAPHY_KEYS = [new, old]
    refuse_wrong_keys()
    rotate("--dry-run")
    settings.CRYPTOGRAPHY_KEYS = [new]
    with pytest.raises(ImproperlyConfigured):
        refuse_wrong_keys()
    settings.CRYPTOGRAPHY_KEYS = [new, old]
    rotate()
    settings.CRYPTOGRAPHY_KEYS = [new]
    refuse_wrong_keys()


def test_an_unfinished_rotation_to_another_key_begins_again(rows, settings):
    last = ScanProgress(name="rotation", key="an older one", model="webhooks.webhook", done=9)
    last.save()
    new = Fernet.generate_key().decode()
    settings.CRYPTOGRAPHY_KEYS = [new, *settings.CRYPTOGRAPHY_KEYS]
    output = rotate()
    assert "Continuing" not in output
    assert "4 secrets are encrypted with the first key" in output
    settings.CRYPTOGRAPHY_KEYS = [new]
    assert revealed() == ALL
