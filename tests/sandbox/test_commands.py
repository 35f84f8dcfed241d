from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.sandbox.visitors import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Application, Browser
from tests.servers import SandboxServer, sandbox_server


def test_prepare_can_be_run_again(sandbox: SandboxServer, alice: Browser) -> None:
    before = alice.open("/").text
    assert sandbox.run("prepare").returncode == 0
    assert [line for line in alice.open("/").text.splitlines() if "contact" in line] == [
        line for line in before.splitlines() if "contact" in line
    ]


def test_prepare_needs_a_password(tmp_path: Path, sandbox: SandboxServer) -> None:
    finished = SandboxServer(
        url="",
        demo_password="",
        data=tmp_path,
        environment=sandbox.environment | {"DEMO_PASSWORD": "", "SANDBOX_DATA": str(tmp_path)},
    ).run("prepare")
    assert finished.returncode == 1
    assert "Set DEMO_PASSWORD" in finished.stderr


def test_prepare_updates_the_password(tmp_path: Path) -> None:
    with sandbox_server(tmp_path, DEMO_PASSWORD="first-one"):
        pass
    with sandbox_server(tmp_path, DEMO_PASSWORD="second-one") as sandbox:
        assert Browser(url=sandbox.url).sign_in("alice", "first-one").status_code == 200
        assert Browser(url=sandbox.url).sign_in("alice", "second-one").status_code == 302


def test_only_the_owner_can_read_the_key_file(sandbox: SandboxServer) -> None:
    key = sandbox.data / "secret_key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text()) >= 50


def test_the_models_and_migrations_agree(sandbox: SandboxServer) -> None:
    finished = sandbox.run("makemigrations", "--check", "--dry-run", "sandbox")
    assert finished.returncode == 0, finished.stdout


def test_system_checks_pass(sandbox: SandboxServer) -> None:
    assert sandbox.run("check", "--fail-level", "WARNING").returncode == 0


def test_serve_refuses_a_port_in_use(sandbox: SandboxServer) -> None:
    finished = sandbox.run("serve")
    assert finished.returncode == 1
    assert "is already in use" in finished.stderr


def test_another_settings_module_in_the_shell_is_ignored(sandbox: SandboxServer) -> None:
    environment = sandbox.environment | {"DJANGO_SETTINGS_MODULE": "console.settings"}
    other = SandboxServer(
        url=sandbox.url,
        demo_password=sandbox.demo_password,
        data=sandbox.data,
        environment=environment,
    )
    assert other.run("check").returncode == 0


def test_registering_again_changes_the_client(sandbox: SandboxServer, alice: Browser) -> None:
    sandbox.register("twice", "http://localhost:1/old", secret="old-secret", name="Old name")
    sandbox.register("twice", "http://localhost:1/a", REDIRECT_URI, secret="new", name="New name")
    client = Application(url=sandbox.url, client_id="twice", secret="new")
    assert "New name asks for access" in alice.open(client.authorize_path()).text
    assert client.exchange(alice.allow(client.authorize_path())["code"]).status_code == 200
    old = client.authorize_path(redirect_uri="http://localhost:1/old")
    assert alice.open(old).status_code == 400


def test_registering_the_same_again_keeps_tokens_working(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    tokens = application.tokens(alice)
    sandbox.register(CLIENT_ID, REDIRECT_URI, secret=CLIENT_SECRET)
    assert application.refresh(tokens["refresh_token"]).status_code == 200
    assert "Postcards asks for access" in alice.open(application.authorize_path()).text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--redirect-uri", "http://localhost/"], "--client-secret-file"),
        (["--public", "--redirect-uri", "ftp://localhost/"], "Redirect"),
        (
            ["--public", "--redirect-uri", "http://a.example/ http://b.example/"],
            "cannot contain spaces",
        ),
        (["--public", "--redirect-uri", ""], "cannot contain spaces"),
        (["--redirect-uri", "http://localhost/", "--client-secret-file", os.devnull], "is empty"),
        (
            ["--redirect-uri", "http://localhost/", "--client-secret-file", "/none"],
            "cannot be read",
        ),
    ],
)
def test_register_refuses(sandbox: SandboxServer, arguments: list[str], complaint: str) -> None:
    finished = sandbox.run("register", "--client-id", "refused", *arguments)
    assert finished.returncode == 1
    assert complaint.lower() in finished.stderr.lower()
    assert "Traceback" not in finished.stderr
