from __future__ import annotations

import csv
import io
import json
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from console.audit.actions import AuditAction
from console.audit.event_export import BATCH
from console.audit.hash_chain import hash_of
from console.audit.log import AuditEntry, Subject, record_all
from console.audit.models import Event


@pytest.fixture
def export(signed_in, super_admin):
    def fetch(form: str, query: str = "", user=super_admin) -> str:
        address = reverse("event_export", args=[form]) + query
        response = signed_in(user).get(address)
        assert response.status_code == 200
        assert response.streaming
        assert f".{form}" in response["Content-Disposition"]
        return b"".join(response.streaming_content).decode()

    return fetch


def test_it_gives_csv(export, studio, tell):
    tell(studio, "Größe, 1", a=1)
    rows = list(csv.DictReader(io.StringIO(export("csv"))))
    assert [row["number"] for row in rows] == ["2", "1"]
    assert rows[0]["action"] == "audit.exported"
    assert rows[1]["object_label"] == "Größe, 1"
    assert json.loads(rows[1]["details"]) == {"a": 1}
    assert rows[1]["sentence"] == "The console changed the application Größe, 1"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(export, studio, tell, start):
    tell(studio, f"{start}HYPERLINK(1)")
    rows = list(csv.DictReader(io.StringIO(export("csv"), newline="")))
    assert rows[1]["object_label"] == f"'{start}HYPERLINK(1)"


def test_its_json_lines_can_be_verified_by_others(export, studio, tell):
    for number in range(3):
        tell(studio, f"Größe {number}", n=number)
    lines = [json.loads(line) for line in export("jsonl").splitlines()]
    assert [line["number"] for line in lines] == [4, 3, 2, 1]
    for line in lines:
        said = line.pop("hash")
        key = line.pop("organization")
        actor = line.pop("actor")
        line |= {"organization_id": UUID(key), "actor_id": UUID(actor) if actor else None}
        assert hash_of(SimpleNamespace(**line | {"at": parse_datetime(line["at"])})) == said


def test_it_gives_what_the_filters_leave(export, studio, tell):
    tell(studio, "Messages")
    tell(studio, "People")
    lines = [json.loads(line) for line in export("jsonl", "?object=Mess").splitlines()]
    assert [line["object_label"] for line in lines] == ["Messages"]
    event = Event.objects.get(action=AuditAction.AUDIT_EXPORTED)
    assert event.details == {"format": "jsonl", "filters": {"Object": "Mess"}}


def test_it_gives_nothing_of_others(export, stranger_organization, tell, developer, studio):
    tell(stranger_organization, "Theirs")
    tell(None, "Deployment")
    assert "Theirs" not in export("csv") + export("jsonl")
    assert "Deployment" not in export("csv")
    assert "user.signed_in" not in export("csv", user=developer)


def test_it_gives_all_of_many(export, studio):
    subject = Subject(type="application", id="x", label="Thing")
    happening = AuditEntry(action=AuditAction.APPLICATION_CHANGED, subject=subject)
    with transaction.atomic():
        record_all(studio, None, [happening] * (2 * BATCH + 10))
    numbers = [json.loads(line)["number"] for line in export("jsonl").splitlines()]
    assert numbers == list(range(2 * BATCH + 11, 0, -1))


def test_there_is_no_other_form(signed_in, super_admin):
    address = reverse("event_export", args=["xlsx"])
    assert signed_in(super_admin).get(address).status_code == 404
