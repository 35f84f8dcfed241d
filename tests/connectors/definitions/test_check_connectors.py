"""``manage.py check_connectors`` reports every fault, for people and for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from connectors.definitions.documentation import catalogue_page, left_out
from connectors.definitions.loader import read_all
from connectors.definitions.registry import CATALOGUE, constants


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
    """Return a catalogue with one valid file and one with two faults."""
    copy(CATALOGUE / "github.toml", tmp_path)
    text = (CATALOGUE / "twilio.toml").read_text()
    text = text.replace('name = "Twilio"', 'color = "red"', 1)
    (tmp_path / "twilio.toml").write_text(text)
    return tmp_path


def test_it_counts_definitions_and_faults() -> None:
    printed, code = run()
    files = len(list(CATALOGUE.glob("*.toml")))
    assert printed == f"Definitions read: {files}. Faults: 0, in 0 of them.\n"
    assert code == 0


def test_it_names_file_and_key_of_every_fault(faulty: Path) -> None:
    printed, code = run("--catalogue", str(faulty))
    lines = printed.splitlines()
    assert [line.split(": ")[:2] for line in lines[:-1]] == [
        ["twilio.toml", "color"],
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
        "category": "Sandbox",
        "auth": ["oauth2"],
        "levels": ["administrator", "logged_in_user"],
        "scopes": 5,
        "typed_scopes": False,
        "pkce": True,
        "revocable": True,
        "own_host": False,
        "parameters": {},
        "documentation": found["sandbox"]["documentation"],
        "scopes_documentation": found["sandbox"]["scopes_documentation"],
        "sources": found["sandbox"]["sources"],
        "read_on": "2026-11-24",
    }
    assert found["sendgrid"]["parameters"] == {
        "region": ["api.sendgrid.com", "api.eu.sendgrid.com"]
    }
    assert report["left_out"]["Marketo"]


def test_the_page_of_the_catalogue_is_up_to_date() -> None:
    connectors, _ = read_all(CATALOGUE, constants())
    written = (Path(settings.BASE_DIR) / "docs" / "catalogue.md").read_text()
    assert written == catalogue_page(connectors.values()), (
        "Run manage.py check_connectors --markdown."
    )


def test_it_writes_the_page(settings, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    (tmp_path / "docs").mkdir()
    printed, code = run("--markdown")
    assert code == 0
    text = (tmp_path / "docs" / "catalogue.md").read_text()
    assert printed.endswith(f"Written: {tmp_path / 'docs' / 'catalogue.md'}\n")
    assert "[Zoho CRM](" in text and "## Left out, and why" in text
    assert not [line for line in text.splitlines() if line.startswith("| [Sandbox")]


def test_the_page_does_not_link_a_package_url() -> None:
    connectors, _ = read_all(CATALOGUE, constants())
    text = catalogue_page(
        [replace(connectors["github"], sources=("https://a.example/x", "pkg:npm/a@1"))]
    )
    assert "| [1](https://a.example/x) pkg:npm/a@1 |" in text


def test_left_out_services_have_no_definition() -> None:
    connectors, _ = read_all(CATALOGUE, constants())
    assert not set(left_out()["services"]) & {c.name for c in connectors.values()}
    for table in left_out().values():
        assert all(why.endswith(".") for why in table.values())


def test_it_reports_faults_as_json(faulty: Path) -> None:
    printed, code = run("--json", "--catalogue", str(faulty))
    report = json.loads(printed)
    assert [connector["slug"] for connector in report["connectors"]] == ["github"]
    assert [(fault["file"], fault["key"]) for fault in report["faults"]] == [
        ("twilio.toml", "color"),
        ("twilio.toml", "name"),
    ]
    assert all(fault["message"] for fault in report["faults"])
    assert code == 1


@pytest.fixture
def own(faulty: Path, settings) -> Path:
    """Return an extra catalogue with one valid and one faulty definition."""
    (faulty / "github.toml").rename(faulty / "our_github.toml")
    settings.EXTRA_CATALOGUES = [str(faulty)]
    return faulty


def test_it_reads_extra_catalogues_too(own: Path) -> None:
    printed, code = run()
    built_in = len(list(CATALOGUE.glob("*.toml")))
    lines = printed.splitlines()
    assert [line.split(": ")[:2] for line in lines[:-1]] == [
        ["twilio.toml", "color"],
        ["twilio.toml", "name"],
    ]
    assert lines[-1] == f"Definitions read: {built_in + 1}. Faults: 2, in 1 of them."
    assert code == 1


def test_an_extra_definition_overrides_the_built_in_one(own: Path) -> None:
    text = (CATALOGUE / "twilio.toml").read_text().replace('"Twilio"', '"Our Twilio"', 1)
    (own / "twilio.toml").write_text(text)
    printed, code = run("--json")
    found = {each["slug"]: each for each in json.loads(printed)["connectors"]}
    assert (found["twilio"]["name"], found["our_github"]["name"]) == ("Our Twilio", "GitHub")
    assert found["slack"]["name"] == "Slack"
    assert code == 0


def test_with_a_folder_only_that_folder_is_read(own: Path) -> None:
    printed, _ = run("--json", "--catalogue", str(own))
    assert [each["slug"] for each in json.loads(printed)["connectors"]] == ["our_github"]


def test_a_missing_folder_is_a_fault(settings, tmp_path: Path) -> None:
    settings.EXTRA_CATALOGUES = [str(tmp_path / "typo")]
    printed, code = run()
    assert printed.startswith(f"{tmp_path}/typo: EXTRA_CATALOGUES: There is no such folder.\n")
    assert code == 1


def test_the_catalogue_page_does_not_list_extra_definitions(settings, own) -> None:
    (own / "twilio.toml").unlink()
    settings.BASE_DIR = own
    (own / "docs").mkdir()
    assert run("--markdown")[1] == 0
    assert "[Twilio](" in (own / "docs" / "catalogue.md").read_text()


def test_it_checks_the_sandbox_definitions_without_sandbox_url(settings) -> None:
    settings.SANDBOX_URL = ""
    printed, code = run("--json")
    assert "sandbox" in {connector["slug"] for connector in json.loads(printed)["connectors"]}
    assert code == 0
