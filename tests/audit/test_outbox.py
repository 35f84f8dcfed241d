from __future__ import annotations

import pytest
from django.db import transaction

from console.audit import outbox
from console.audit.actions import AuditAction
from console.audit.log import Subject, record
from console.audit.outbox import follow

ACTS = {AuditAction.APPLICATION_CHANGED}


@pytest.fixture
def heard():
    return []


def names(events):
    return [event.object_label for event in events]


def listen(heard, reader="tests"):
    follow(reader, ACTS, lambda events: heard.extend(names(events)))


def test_each_event_comes_once_and_in_order(tell, studio, stranger_organization, heard):
    for name in "abc":
        tell(studio, name)
    tell(stranger_organization, "d")
    listen(heard)
    listen(heard)
    assert sorted(heard) == ["a", "b", "c", "d"]
    assert [name for name in heard if name != "d"] == ["a", "b", "c"]
    tell(studio, "e")
    listen(heard)
    assert heard[4:] == ["e"]


def test_readers_do_not_disturb_each_other(tell, studio, heard):
    tell(studio, "a")
    listen(heard, "one")
    listen(heard, "two")
    assert heard == ["a", "a"]


def test_other_acts_and_the_deployment_are_passed_over(tell, studio, developer, heard):
    tell(None, "deployment")
    with transaction.atomic():
        record(
            AuditAction.APPLICATION_CREATED, studio, developer, Subject(type="x", id="x", label="x")
        )
    listen(heard)
    assert heard == []


def test_what_a_reader_fails_at_comes_again(tell, studio, heard):
    tell(studio, "a")

    def fail(events):
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        follow("tests", ACTS, fail)
    listen(heard)
    assert heard == ["a"]


def test_batches_follow_each_other(tell, studio, heard, monkeypatch):
    monkeypatch.setattr(outbox, "BATCH", 2)
    for name in "abcde":
        tell(studio, name)
    listen(heard)
    assert heard == list("abcde")


@pytest.mark.django_db(transaction=True)
def test_many_readers_at_once_take_nothing_twice(tell, studio, at_once):
    for number in range(10):
        tell(studio, str(number))
    heard: list[str] = []
    at_once([lambda: listen(heard)] * 4)
    assert sorted(heard, key=int) == [str(number) for number in range(10)]
