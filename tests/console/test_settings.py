"""What the environment becomes, in processes of their own: settings are read once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from console.demo.environment import use_demo_environment

ROOT = Path(__file__).resolve().parents[2]


def manage(*arguments: str, **environment: str) -> str:
    """Run a management command and return what it prints."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_spaces_after_commas_mean_nothing(tmp_path):
    shown = manage(
        "shell",
        "--no-imports",
        "--command",
        "import json; from django.conf import settings; "
        "print(json.dumps([settings.ALLOWED_PRIVATE_HOSTS, settings.EXTRA_CATALOGUES]))",
        ALLOWED_PRIVATE_HOSTS="hub.example:443, queue.example:15672",
        EXTRA_CATALOGUES=f"{tmp_path}/a, {tmp_path}/b",
    )
    assert json.loads(shown) == [
        ["hub.example:443", "queue.example:15672"],
        [f"{tmp_path}/a", f"{tmp_path}/b"],
    ]


def test_a_catalogue_of_ones_own_brings_its_logos(tmp_path):
    logo = tmp_path / "logos" / "acme.svg"
    logo.parent.mkdir()
    logo.write_text("<svg/>")
    (logo.parent / "github.svg").write_text("<svg/>")
    bare = tmp_path / "bare"
    bare.mkdir()
    found = manage(
        "findstatic",
        "--first",
        "--verbosity=0",
        "connectors/acme.svg",
        "connectors/github.svg",
        "connectors/slack.svg",
        EXTRA_CATALOGUES=f"{tmp_path},{bare}",
    )
    slack = ROOT / "static" / "connectors" / "slack.svg"
    assert found.split() == [str(logo), str(logo.parent / "github.svg"), str(slack)]


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({}, "localhost:9123"),
        ({"ALLOWED_PRIVATE_HOSTS": "hub.example:443"}, "hub.example:443,localhost:9123"),
        ({"ALLOWED_PRIVATE_HOSTS": "localhost:9123"}, "localhost:9123"),
        ({"SANDBOX_URL": "http://127.0.0.1:9777"}, "127.0.0.1:9777"),
    ],
)
def test_the_demo_keeps_its_sandbox_whatever_else_may_be_called(tmp_path, given, allowed):
    bare = {"VAR_DIR": str(tmp_path), "SANDBOX_PORT": "9123", **given}
    with patch.dict(os.environ, bare, clear=True):
        use_demo_environment()
        assert os.environ["ALLOWED_PRIVATE_HOSTS"] == allowed
