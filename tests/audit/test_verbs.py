"""Every verb writes one event with its change, or does not happen."""

from __future__ import annotations

import contextlib

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from console.audit.actions import AuditAction
from console.audit.log import NotRecorded
from console.audit.models import Event
from console.audit.sentences import sentence
from console.audit.verification import ChainFault, chains, verify
from tests.audit.all_verbs import VERBS
from tests.audit.world import CANARY, World

EVERY = pytest.mark.parametrize(
    ("verb", "act", "who", "where"), VERBS, ids=[verb.__name__ for verb, *_ in VERBS]
)


@pytest.fixture
def world(
    studio,
    application,
    developer,
    may_publish,
    super_admin,
    operator,
    connect,
    grant,
    build,
    signed_in,
) -> World:
    def browser(user):
        client = signed_in(user)
        client.raise_request_exception = False
        return client

    return World(
        studio=studio,
        application=application,
        developer=developer,
        super_admin=super_admin,
        operator=operator,
        connect=connect,
        grant=grant,
        build=build,
        browser=browser,
    )


def test_every_act_has_a_verb():
    assert {act for _, act, *_ in VERBS} == set(AuditAction)


@EVERY
def test_it_writes_one_event(verb, act, who, where, world):
    do = verb(world)
    before = set(Event.objects.values_list("pk", flat=True))

    do()

    # Changes that concern two organizations are recorded for both.
    events = list(Event.objects.exclude(pk__in=before))
    assert len(events) == len({event.organization_id for event in events})
    assert {event.action for event in events} == {act}
    (event,) = (e for e in events if (e.organization.slug if e.organization_id else "") == where)
    assert event.actor == (getattr(world, who) if who else None)
    assert event.actor_email == (getattr(world, who).email if who else "system")
    assert "some " not in sentence(event)
    assert [
        fault
        for key, name in chains().items()
        for fault in verify(key, name)
        if isinstance(fault, ChainFault)
    ] == []


@EVERY
def test_it_is_undone_with_its_change(verb, act, who, where, world, rows):
    do = verb(world)
    before, events = rows(), Event.objects.count()

    with transaction.atomic():
        do()
        assert Event.objects.count() > events
        transaction.set_rollback(True)

    assert (rows(), Event.objects.count()) == (before, events)


@EVERY
def test_without_its_event_the_change_does_not_happen(
    verb, act, who, where, world, rows, break_log
):
    do = verb(world)
    break_log()
    before, events = rows(), Event.objects.count()

    with contextlib.suppress(NotRecorded):  # verbs raise it, pages answer
        assert do().status_code == 503

    assert (rows(), Event.objects.count()) == (before, events)


@EVERY
def test_it_asks_the_database_three_times_more(verb, act, who, where, world):
    do = verb(world)
    with CaptureQueriesContext(connection) as queries:
        do()
    asked = [query["sql"] for query in queries if '"audit_' in query["sql"]]
    heads = max(1, sum('UPDATE "audit_chain"' in sql for sql in asked))
    first = any('INTO "audit_chain"' in sql for sql in asked)
    assert len(asked) <= heads * (6 if first else 4)


def test_no_secret_is_in_any_event(world):
    for verb, *_ in VERBS:
        with transaction.atomic():
            verb(world)()
            for event in Event.objects.all():
                told = str(event.__dict__)
                for secret in (CANARY, "an-access-token", "a-refresh-token", "pass-word-1"):
                    assert secret not in told
                assert "md5$" not in told
            transaction.set_rollback(True)
