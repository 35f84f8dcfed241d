from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from console.audit.actions import AuditAction
from console.audit.hash_chain import hash_of
from console.audit.log import AuditEntry, Subject, record_all
from console.audit.models import Chain, Event
from console.audit.verification import BATCH


@pytest.fixture
def five(studio, tell) -> list[Event]:
    return [tell(studio, f"Thing {number}") for number in range(1, 6)]


def run(**options) -> tuple[str, str, bool]:
    """Return what it prints, what it complains of, and whether it is content."""
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_audit", stdout=out, stderr=err, **options)
    except CommandError as error:
        assert error.returncode == 1
        return out.getvalue(), err.getvalue(), False
    return out.getvalue(), err.getvalue(), True


def test_it_works(five, tell):
    deployment = tell(None)
    out, err, ok = run()
    assert ok
    assert err == ""
    assert f"studio: 5 events, {five[-1].hash}\n" in out
    assert f"the deployment: 1 event, {deployment.hash}\n" in out


def test_it_has_nothing_to_say_of_nothing(db):
    assert run() == ("", "", True)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("object_label", "Forged"),
        ("actor_email", "somebody.else@studio.example"),
        ("details", '{"forged": true}'),
        ("at", "2020-01-01 00:00:00+00:00"),
        ("action", "application.deleted"),
    ],
)
def test_it_finds_a_changed_field(five, by_hand, column, value):
    by_hand(f"UPDATE audit_event SET {column} = %s WHERE number = 3", value)
    _, err, ok = run()
    assert (err, ok) == ("studio: event 3 is not what was written: changed.\n", False)


def test_it_finds_a_row_that_was_deleted(five, by_hand):
    by_hand("DELETE FROM audit_event WHERE number = 3")
    _, err, ok = run()
    assert (err, ok) == ("studio: event 3 is missing.\n", False)


def test_it_finds_several_that_were_deleted(five, by_hand):
    by_hand("DELETE FROM audit_event WHERE number IN (1, 2, 3)")
    assert run()[1] == "studio: events 1 to 3 are missing.\n"


def test_it_finds_the_last_one_deleted(five, by_hand):
    by_hand("DELETE FROM audit_event WHERE number = 5")
    assert run()[1] == "studio: events 5 to 5 are missing at the end.\n"


def test_it_finds_all_of_them_deleted(five, by_hand):
    by_hand("DELETE FROM audit_event")
    assert run()[1] == "studio: events 1 to 5 are missing at the end.\n"


def test_it_finds_two_that_changed_places(five, by_hand):
    for number, other in ((2, 99), (4, 2), (99, 4)):
        by_hand("UPDATE audit_event SET number = %s WHERE number = %s", other, number)
    _, err, ok = run()
    assert not ok
    for number in (2, 4):
        assert f"event {number} is not what was written" in err


def test_it_finds_one_that_was_rewritten_with_a_right_hash(five, by_hand):
    """Someone who computes the right hash still has to rewrite all later events."""
    event = Event.objects.get(number=3)
    event.object_label = "Forged"
    by_hand(
        "UPDATE audit_event SET object_label = 'Forged', hash = %s WHERE number = 3",
        hash_of(event),
    )
    _, err, ok = run()
    assert not ok
    assert err.startswith("studio: event 4 does not follow the event before it")


def test_it_finds_the_last_one_rewritten_with_a_right_hash(five, by_hand):
    event = Event.objects.get(number=5)
    event.object_label = "Forged"
    by_hand(
        "UPDATE audit_event SET object_label = 'Forged', hash = %s WHERE number = 5",
        hash_of(event),
    )
    assert run()[1] == "studio: event 5 is not the one that the head knows: rewritten.\n"


def test_it_finds_one_that_was_put_in(five, by_hand):
    Event.objects.bulk_create(
        [
            Event(
                **{
                    f.attname: getattr(five[-1], f.attname)
                    for f in Event._meta.concrete_fields
                    if f.name not in ("id", "number")
                },
                number=6,
            )
        ]
    )
    _, err, ok = run()
    assert not ok
    assert "the head says that 5 is the last event, but there are 6" in err


def test_it_finds_a_head_that_is_gone(five):
    Chain.objects.all().delete()
    assert run()[1] == "studio: the head of the chain is missing.\n"


def test_a_chain_that_was_rewritten_as_a_whole_shows_in_the_hash_kept_elsewhere(
    five, studio, by_hand, tell
):
    kept = run()[0]
    by_hand("DELETE FROM audit_event")
    Chain.objects.all().delete()
    for number in range(1, 6):
        tell(studio, f"Forged {number}")
    out, _, ok = run()
    assert ok
    assert out != kept


def test_it_names_an_organization_that_is_gone(stranger_organization, tell):
    tell(stranger_organization)
    key = stranger_organization.pk
    stranger_organization.delete()
    assert run()[0].startswith(f"{key}: 1 event, ")


def test_it_looks_at_one_organization(five, stranger_organization, tell, by_hand):
    tell(stranger_organization)
    by_hand("DELETE FROM audit_event WHERE number = 3")
    assert run(organization="elsewhere")[2]
    assert not run(organization="studio")[2]
    with pytest.raises(CommandError, match="There is no organization nowhere"):
        call_command("verify_audit", organization="nowhere")


def test_it_speaks_json(five, by_hand):
    by_hand("DELETE FROM audit_event WHERE number = 3")
    out, err, ok = run(json=True)
    assert (err, ok) == ("", False)
    assert json.loads(out) == {
        "chains": [
            {
                "organization": "studio",
                "events": 5,
                "hash": five[-1].hash,
                "faults": ["event 3 is missing."],
            }
        ],
        "faults": 1,
    }


def test_it_holds_a_thousand_rows_at_once(studio, django_assert_num_queries):
    subject = Subject(type="application", id="x", label="Thing")
    happening = AuditEntry(action=AuditAction.APPLICATION_CHANGED, subject=subject)
    with transaction.atomic():
        record_all(studio, None, [happening] * (2 * BATCH + 1))
    with django_assert_num_queries(3 + 1 + 4):  # which chains; the head; three batches, the end
        assert run()[2]
