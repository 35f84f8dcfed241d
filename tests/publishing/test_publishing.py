"""Publish and roll back: all or nothing, also with concurrent requests."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from connections.models import ReleasedConnection
from console.choices import Role
from console.publishing import publishing
from console.publishing.environment_state import manifest_in, release_in_stage
from console.publishing.manifest import Manifest, digest_of
from console.publishing.models import LEASE, Release, Stage


def test_it_works(two, publish, application, developer):
    release = publish("find_people", note="The first")

    assert release.number == 1
    assert release.created_by == developer
    assert release.digest == digest_of(release.content)
    assert release_in_stage(application) == release
    assert set(manifest_in(application, "stage").components) == {"find_people"}
    two["people"].refresh_from_db()
    two["parts"].refresh_from_db()
    assert (two["people"].first_released, two["parts"].first_released) == (1, None)


def test_stage_reads_a_connection_as_it_was_released(two, publish, ask_for):
    publish("find_people")
    ask_for(two["people"], "contacts.read", "contacts.write")

    assert two["people"].snapshot_in("stage").scopes == ("contacts.read",)
    assert two["people"].snapshot.scopes == ("contacts.read", "contacts.write")
    # An account that both share must be allowed what either needs.
    assert "contacts.write" in two["people"].scopes_to_ask(["all"])


def test_publishing_again_creates_no_release(two, publish, application):
    first = publish("find_people")
    outcome = publishing.publish(application, first.created_by, ticked=["find_people"])
    assert (outcome.release, outcome.is_new) == (first, False)


def test_it_refuses_an_empty_selection(two, publish):
    with pytest.raises(publishing.NothingSelected):
        publish()
    assert not Release.objects.exists()


def test_it_refuses_names_that_are_not_changes(two, publish):
    with pytest.raises(publishing.NothingSelected):
        publish("no_such_component")


def test_it_refuses_if_development_has_changed(two, publish, edit, application):
    seen = publishing.fingerprint(Manifest(), manifest_in(application, "development"))
    edit(two["find"], {"calls": []})
    with pytest.raises(publishing.PublishConflict):
        publish("find_people", seen=seen)
    assert not Release.objects.exists()


def test_rolling_back_creates_a_release_with_the_old_content(
    two, publish, edit, application, developer
):
    first = publish("find_people")
    edit(two["find"], {"calls": []})
    publish("find_people")
    assert not ReleasedConnection.objects.exists()

    outcome = publishing.roll_back(application, developer, to=first)

    assert outcome.release.number == 3
    assert outcome.release.content == first.content
    assert outcome.release.rolled_back_to == 1
    assert ReleasedConnection.objects.get().connection == two["people"]
    assert manifest_in(application, "development").components["find_people"].definition == {
        "calls": []
    }


def test_rolling_back_to_the_release_in_stage_creates_nothing(two, publish, application, developer):
    first = publish("find_people")
    assert not publishing.roll_back(application, developer, to=first).is_new


def test_a_release_never_changes(two, publish):
    release = publish("find_people")
    with pytest.raises(TypeError):
        Release.objects.update(note="x")
    with pytest.raises(TypeError):
        Release.objects.all().delete()
    with pytest.raises(TypeError):
        release.delete()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE publishing_release SET note = 'changed by hand'")
    assert Release.objects.get().note == ""


def test_it_names_the_person_who_is_publishing(two, publish, application, member, studio):
    other = member(studio, Role.SUPER_ADMIN)
    Stage.objects.create(
        application=application,
        publisher=other,
        lease="x",
        leased_at=timezone.now(),
        lease_until=timezone.now() + LEASE,
    )
    with pytest.raises(publishing.PublishInProgress, match=other.email):
        publish("find_people")
    assert not Release.objects.exists()


def test_an_expired_lease_does_not_block(two, publish, application, developer):
    Stage.objects.create(
        application=application,
        publisher=None,
        lease="x",
        leased_at=timezone.now() - 2 * LEASE,
        lease_until=timezone.now() - LEASE,
    )
    assert publish("find_people").number == 1
    assert Stage.objects.get().lease == ""


def test_a_process_that_lost_its_lease_changes_nothing(two, application, developer):
    with (
        pytest.raises(publishing.PublishInProgress),
        publishing._publish_lease(application, developer),
    ):
        Stage.objects.update(lease="another")
        release = Release(application=application, content=Manifest().text, created_by=developer)
        with transaction.atomic():
            publishing._move_stage(release, Manifest(), None, "mine")
    assert not Release.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_fifty_simultaneous_requests_create_one_release(two, application, developer):
    barrier = threading.Barrier(50)

    def press(number: int) -> tuple[int, bool] | str:
        barrier.wait()
        try:
            outcome = publishing.publish(
                application, developer, ticked=["find_people", "order_parts"]
            )
            return outcome.release.number, outcome.is_new
        except publishing.PublishInProgress:
            return "refused"
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(press, range(50)))

    assert Release.objects.count() == 1
    assert answers.count((1, True)) == 1
    assert set(answers) <= {(1, True), (1, False), "refused"}
    assert Stage.objects.get().lease == ""


def test_it_takes_fourteen_queries_whatever_the_size(
    connect, build, publish, django_assert_max_num_queries
):
    connections = [connect(name=f"C {number}") for number in range(12)]
    for number in range(60):
        build(f"F {number}", connections[number % 12])
    # Savepoints of the tests' own transaction come on top, and what records it: the head of the
    # chain, the event, the head moved on.
    with django_assert_max_num_queries(14 + 3 + 4 + 3):
        publish(*(f"f_{number}" for number in range(60)))
