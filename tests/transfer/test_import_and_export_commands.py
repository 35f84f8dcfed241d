"""The commands export_application and import_application."""

from __future__ import annotations

import io
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from console.applications.models import Application
from console.choices import Role
from console.transfer.exporting import export
from tests.transfer.files import connection, document, text_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "repairs.json"
    path.write_text(text_of(document()), encoding="utf-8")
    return path


def run(*arguments: object) -> str:
    said = StringIO()
    call_command(*map(str, arguments), stdout=said)
    return said.getvalue()


def bring(file: object, *more: object, user: str = "super_admin@studio.example") -> str:
    return run("import_application", file, "--organization", "studio", "--user", user, *more)


def test_it_exports_to_standard_output(repairs):
    assert run("export_application", "studio", "repairs") == export(repairs)


def test_it_exports_to_a_file(repairs, tmp_path):
    place = tmp_path / "out.json"
    assert run("export_application", "studio", "repairs", "--output", place) == ""
    assert place.read_bytes() == export(repairs).encode()


@pytest.mark.parametrize(
    "arguments", [["studio", "nothing"], ["nobody", "repairs"], ["elsewhere", "repairs"]]
)
def test_it_exports_nothing_that_is_not_there(repairs, stranger_organization, arguments):
    with pytest.raises(CommandError, match=f"{arguments[0]} has no application {arguments[1]}"):
        run("export_application", *arguments)


def test_it_says_that_it_cannot_write(repairs):
    with pytest.raises(CommandError, match="cannot be written"):
        run("export_application", "studio", "repairs", "--output", "/nonexistent/x.json")


def test_it_imports(super_admin, file):
    said = bring(file)
    application = Application.objects.get()
    assert export(application) == file.read_text(encoding="utf-8")
    assert application.connections.get().created_by == super_admin
    assert "Created Repairs (repairs)" in said
    assert "connection Customers (customers)" in said
    assert "2 components" in said


def test_it_says_what_it_would_make_and_makes_nothing(super_admin, repairs, file):
    said = bring(file, "--dry-run")
    assert "Would create Repairs_copy (repairs_copy)" in said
    assert "connection Customers_copy (customers_copy)" in said
    assert Application.objects.count() == 1


def test_it_reads_standard_input(super_admin, monkeypatch):
    content = io.BytesIO(text_of(document()).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    bring("-")
    assert Application.objects.get().link_name == "repairs"


def test_it_lists_faults_one_a_line(super_admin, file):
    value = document(connections=[connection(connector="sandbux"), connection("B", level="x")])
    file.write_text(text_of(value), encoding="utf-8")
    complaints = StringIO()
    with pytest.raises(CommandError, match="Nothing was imported") as raised:
        call_command(
            "import_application", str(file), "--organization", "studio",
            "--user", super_admin.email, stderr=complaints,
        )  # fmt: skip
    assert raised.value.returncode == 1
    first, second = complaints.getvalue().splitlines()
    assert first.startswith("line 12, column 20 (connections.0.connector): ")
    assert "connections.1.level" in second
    assert not Application.objects.exists()


@pytest.mark.parametrize(
    ("user", "organization", "said"),
    [
        ("nobody@studio.example", "studio", "no account with the e-mail address"),
        ("super_admin@studio.example", "nothing", "no organization nothing"),
        ("developer@studio.example", "studio", "may not create applications in Studio"),
        ("super_admin@studio.example", "elsewhere", "may not create applications in Elsewhere"),
    ],
)
def test_it_says_who_cannot(
    super_admin, member, studio, stranger_organization, file, user, organization, said
):
    member(studio, Role.DEVELOPER)
    with pytest.raises(CommandError, match=said):
        run("import_application", file, "--organization", organization, "--user", user)
    assert not Application.objects.exists()


def test_it_says_that_it_cannot_read(super_admin):
    with pytest.raises(CommandError, match="cannot be read"):
        bring("/nonexistent/x.json")
