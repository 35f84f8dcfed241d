"""``manage.py check_connectors`` reports every fault, for people and for programs."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from django.core.management import call_command

from connectors.registry import CATALOGUE


def run(*arguments: str) -> tuple[str, int]:
    """Run the command and return what it printed and its exit code."""
    out = StringIO()
    try:
        call_command("check_connectors", *arguments, stdout=out)
    except SystemExit as stop:
        assert isinstance(stop.code, int)
        return out.getvalue(), stop.code
    return out.getvalue(), 0


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """Return a catalogue of one good file and one with two faults."""
    copy(CATALOGUE / "github.toml", tmp_path)
    text = (CATALOGUE / "twilio.toml").read_text()
    text = text.replace('name = "Twilio"', 'colour = "red"', 1)
    (tmp_path / "twilio.toml").write_text(text)
    return tmp_path


def test_it_counts_what_it_read() -> None:
    printed, code = run()
    files = len(list(CATALOGUE.glob("*.toml")))
    assert printed == f"Definitions read: {files}. Faults: 0, in 0 of them.\n"
    assert code == 0


def test_it_names_file_and_key_of_every_fault(faulty: Path) -> None:
    printed, code = run("--catalogue", str(faulty))
    lines = printed.splitlines()
    assert [line.split(": ")[:2] for line in lines[:-1]] == [
        ["twilio.toml", "colour"],
        ["twilio.toml", "name"],
    ]
    assert lines[-1] == "Definitions read: 2. Faults: 2, in 1 of them."
    assert code == 1


def test_it_describes_each_connector_as_json() -> None:
    printed, code = run("--json")
    report: dict[str, Any] = json.loads(printed)
    found = {connector["slug"]: connector for connector in report["connectors"]}
    assert code == 0
    assert report["faults"] == []
    assert len(found) == len(list(CATALOGUE.glob("*.toml")))
    assert found["zoho_projects"]["auth"] == ["oauth2", "basic"]
    assert found["sandbox"] == {
        "slug": "sandbox",
        "name": "Sandbox",
        "auth": ["oauth2"],
        "category": "Sandbox",
        "levels": ["administrator", "logged_in_user"],
        "scopes": 5,
        "parameters": [],
        "sources": found["sandbox"]["sources"],
        "read_on": "2026-11-24",
    }


def test_it_reports_faults_as_json(faulty: Path) -> None:
    printed, code = run("--json", "--catalogue", str(faulty))
    report = json.loads(printed)
    assert [connector["slug"] for connector in report["connectors"]] == ["github"]
    assert [(fault["file"], fault["key"]) for fault in report["faults"]] == [
        ("twilio.toml", "colour"),
        ("twilio.toml", "name"),
    ]
    assert all(fault["message"] for fault in report["faults"])
    assert code == 1


def test_it_reads_the_sandbox_even_where_it_is_switched_off(settings) -> None:
    settings.SANDBOX_URL = ""
    printed, code = run("--json")
    assert "sandbox" in {connector["slug"] for connector in json.loads(printed)["connectors"]}
    assert code == 0
