from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from connections.models import OAuthClient


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("canary-secret\n")
    return file


def register(*arguments: object) -> str:
    said = StringIO()
    call_command("register_client", *map(str, arguments), stdout=said)
    return said.getvalue()


def test_it_works(db, secret):
    said = register("slack", "--client-id", "1.2", "--client-secret-file", secret)

    client = OAuthClient.objects.get()
    assert "redirect_uri: http://console.test/oauth/callback/slack/" in said
    assert "canary-secret" not in said
    assert (client.client_id, client.client_secret.reveal()) == ("1.2", "canary-secret")


def test_spaces_around_the_secret_are_removed(db, secret):
    secret.write_text("\ufeffcanary-secret \r\n", encoding="utf-8")
    register("slack", "--client-id", " 1.2", "--client-secret-file", secret)
    client = OAuthClient.objects.get()
    assert (client.client_id, client.client_secret.reveal()) == ("1.2", "canary-secret")


def test_it_reports_a_file_in_another_encoding(db, secret):
    secret.write_bytes("canary-secret".encode("utf-16"))
    with pytest.raises(CommandError, match="not UTF-8 text"):
        register("slack", "--client-id", "1.2", "--client-secret-file", secret)


def test_registering_again_replaces_the_secret(db, secret):
    register("slack", "--client-id", "1.2", "--client-secret-file", secret)
    secret.write_text("another")
    register("slack", "--client-id", "3.4", "--client-secret-file", secret)
    client = OAuthClient.objects.get()
    assert (client.client_id, client.client_secret.reveal()) == ("3.4", "another")


def test_it_registers_for_one_organization_and_host(studio, secret):
    said = register(
        "jupyterhub", "--client-id", "hub", "--client-secret-file", secret,
        "--organization", "studio", "--host", "https://HUB.example.com/",
    )  # fmt: skip
    client = OAuthClient.objects.get()
    assert (client.organization, client.host) == (studio, "hub.example.com")
    assert client.reference in said


@pytest.mark.parametrize(
    "host", ["hub.example.com", "HTTPS://HUB.Example.com./", "http://hub.example.com"]
)
def test_the_same_host_gets_a_new_secret_however_it_is_written(studio, secret, host):
    for written in ("hub.example.com", host):
        register(
            "jupyterhub", "--client-id", written, "--client-secret-file", secret,
            "--organization", "studio", "--host", written,
        )  # fmt: skip
    assert OAuthClient.objects.get().client_id == host


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["myspace"], "myspace"),
        (["twilio"], "twilio"),
        (["slack", "--organization", "nobody"], "no organization nobody"),
        (["slack", "--client-secret-file", "/nonexistent/secret"], "cannot be read"),
        (["slack", "--host", "slack.example.com"], "has a fixed host"),
        (["jupyterhub", "--organization", "studio"], "needs its host"),
        (["jupyterhub", "--host", "hub.example.com"], "must belong to one organization"),
        (["jupyterhub", "--organization", "studio", "--host", "https://x/y"], "needs its host"),
    ],
)
def test_it_says_what_is_wrong(studio, arguments, said):
    with pytest.raises(CommandError, match=said):
        register(*arguments, "--client-id", "c")
    assert not OAuthClient.objects.exists()
