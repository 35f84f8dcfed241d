from __future__ import annotations

import random
import threading
from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction

from connections.models import Connection
from connections.setup import changing
from connections.setup.forms import RenameForm
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import NotRecorded, Subject, record
from console.audit.models import DEPLOYMENT, Chain, Event
from console.audit.verification import ChainFault, chains, verify
from console.components import saving


def faults() -> list[ChainFault]:
    found = [each for key, name in chains().items() for each in verify(key, name)]
    return [each for each in found if isinstance(each, ChainFault)]


def test_it_counts_and_chains(studio, tell):
    first, second = tell(studio), tell(studio, "Other", n=1)
    assert (first.number, second.number) == (1, 2)
    assert first.previous_hash == "0" * 64
    assert second.previous_hash == first.hash
    head = Chain.objects.get(pk=studio.pk)
    assert (head.number, head.hash) == (2, second.hash)
    assert faults() == []


def test_each_organization_counts_for_itself(studio, stranger_organization, tell):
    events = [tell(studio), tell(stranger_organization), tell(None), tell(None)]
    assert [event.number for event in events] == [1, 1, 1, 2]
    assert Chain.objects.get(pk=DEPLOYMENT).number == 2


@pytest.mark.django_db(transaction=True)
def test_it_refuses_outside_of_a_transaction(studio):
    with pytest.raises(RuntimeError, match="transaction of its change"):
        record(AuditAction.APPLICATION_CHANGED, studio, None, Subject(type="x", id="1", label="x"))
    assert not Event.objects.exists()


def test_a_chain_that_lies_lets_nothing_be_recorded(studio, tell):
    tell(studio)
    Chain.objects.update(number=0)
    with pytest.raises(NotRecorded):
        tell(studio)
    assert Event.objects.count() == 1


def test_what_is_no_json_is_not_recorded(studio, tell):
    with pytest.raises(TypeError):
        tell(studio, secret=object())
    assert not Event.objects.exists()


def test_an_event_never_changes(studio, tell):
    event = tell(studio)
    for change in (
        lambda: Event.objects.update(action="x"),
        lambda: Event.objects.all().delete(),
        event.delete,
        event.save,
    ):
        with pytest.raises(TypeError):
            change()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_event SET action = 'changed by hand'")
    assert Event.objects.get().action == "application.changed"


def test_it_outlives_the_person_and_the_organization(stranger_organization, member):
    person = member(stranger_organization, "developer")
    key, organization = person.pk, stranger_organization.pk
    with transaction.atomic():
        record(AuditAction.USER_SIGNED_IN, stranger_organization, person, person)
    person.delete()
    stranger_organization.delete()
    event = Event.objects.get()
    assert (event.actor_id, event.organization_id) == (key, organization)
    assert event.actor_email == "developer@elsewhere.example"
    assert faults() == []


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_get_consecutive_numbers_and_never_lock_each_other_out(
    studio, developer, connect, build, at_once, tell
):
    """Components and connections of two applications are changed crosswise."""
    second = Application.objects.create(organization=studio, name="Other", link_name="other")
    connections = [connect(name=f"C {n}") for n in range(2)]
    components = [build(f"F {n}", each) for n, each in enumerate(connections)]
    before = Event.objects.count()
    barrier = threading.Barrier(8)

    def work(seed: int) -> None:
        dice = random.Random(seed)
        barrier.wait()
        for turn in range(4):
            if dice.random() < 0.3:
                row = Connection.objects.get(pk=dice.choice(connections).pk)
                form = RenameForm({"name": f"Name {seed} {turn}"}, instance=row)
                assert form.is_valid()
                changing.rename(form, developer)
            elif dice.random() < 0.6:
                build(f"Made {seed} {turn}", application=second)
            else:
                row = type(components[0]).objects.get(pk=dice.choice(components).pk)
                try:
                    saving.save(row, developer, version=row.version)
                except saving.ComponentConflict:
                    tell(studio)

    at_once([partial(work, seed) for seed in range(8)])

    numbers = list(Event.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, before + 8 * 4 + 1))
    assert faults() == []


@pytest.mark.django_db(transaction=True)
def test_the_first_events_at_once_make_one_chain(studio, at_once, tell):
    barrier = threading.Barrier(6)

    def first() -> None:
        barrier.wait()
        tell(studio)

    at_once([first] * 6)
    assert Chain.objects.get().number == 6
    assert faults() == []


def test_nothing_is_recorded_of_what_did_not_change(connect, developer):
    form = RenameForm({"name": "Same"}, instance=connect(name="Same"))
    assert form.is_valid()
    changing.rename(form, developer)
    assert not Event.objects.exists()
