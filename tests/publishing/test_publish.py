"""The page on which changes are ticked and go to Stage."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.models import Authorization
from console.choices import Role
from console.components.models import Component
from console.publishing.models import LEASE, Release, Stage
from tests.connections.flow_steps import words_of


@pytest.fixture
def address(application) -> str:
    return reverse("publish", args=[application.pk])


def seen_on(page) -> str:
    return re.search(r'name="seen" value="(\w+)"', page.content.decode())[1]


def test_it_works(developer_client, address, two):
    page = developer_client.get(address)
    words = words_of(page)
    assert "2 changes" in words
    assert "Nothing is ticked yet" in words

    response = developer_client.post(
        address, {"tick": "find_people", "note": "First", "seen": seen_on(page)}, follow=True
    )

    release = Release.objects.get()
    assert release.note == "First"
    assert set(release.manifest.components) == {"find_people"}
    assert "Release 1 of Field Service is in Stage." in words_of(response)


def test_without_changes_there_is_nothing_to_publish(developer_client, address, two, publish):
    publish("find_people", "order_parts")
    assert "Nothing to publish" in words_of(developer_client.get(address))


def test_it_says_why_an_unreferenced_connection_cannot_be_published(
    developer_client, address, connect
):
    connect(name="Spare")
    words = words_of(developer_client.get(address))
    assert "Cannot be published: no component references it." in words


def test_an_empty_selection_keeps_the_note(developer_client, address, two):
    response = developer_client.post(address, {"note": "My words"})
    assert response.status_code == 422
    assert "Nothing is ticked, so nothing was published." in words_of(response)
    assert "My words" in response.content.decode()
    assert not Release.objects.exists()


def test_a_note_that_is_too_long_keeps_the_ticks(developer_client, address, two):
    response = developer_client.post(address, {"tick": "find_people", "note": "x" * 501})
    assert response.status_code == 422
    assert re.search(r'id="tick-find_people"[^>]* checked', response.content.decode())


def test_it_refuses_if_development_has_changed(developer_client, address, two, edit):
    seen = seen_on(developer_client.get(address))
    edit(two["find"], {"calls": []})

    response = developer_client.post(address, {"tick": "find_people", "seen": seen})

    assert response.status_code == 409
    assert "has changed since this page was shown" in words_of(response)
    assert re.search(r'id="tick-find_people"[^>]* checked', response.content.decode())
    assert not Release.objects.exists()


def test_pressing_twice_creates_one_release(developer_client, address, two):
    data = {"tick": "find_people", "seen": seen_on(developer_client.get(address))}
    developer_client.post(address, data)
    response = developer_client.post(address, data, follow=True)
    assert "Release 1 already contains these changes" in words_of(response)
    assert Release.objects.count() == 1


def test_it_names_the_person_who_is_publishing(
    developer_client, address, two, application, member, studio
):
    other = member(studio, Role.SUPER_ADMIN)
    now = timezone.now()
    Stage.objects.create(
        application=application, publisher=other, lease="x", leased_at=now, lease_until=now + LEASE
    )
    response = developer_client.post(address, {"tick": "find_people"})
    assert response.status_code == 409
    assert f"{other.email} is publishing Field Service now." in words_of(response)


def test_names_from_people_are_shown_as_text(developer_client, address, build):
    build('"><svg onload=alert(1)>')
    assert "<svg onload" not in developer_client.get(address).content.decode()


def test_the_pre_flight_names_who_authorized(developer_client, address, two, grant, developer):
    grant(two["people"])
    words = words_of(developer_client.get(address, {"tick": "find_people"}))
    assert "Authorized as alice@example.com" in words
    assert f"Authorized by {developer.email}." in words


def test_the_pre_flight_names_a_missing_permission(
    developer_client, address, two, grant, ask_for, publish
):
    grant(two["people"])
    publish("find_people")
    ask_for(two["people"], "contacts.read", "contacts.write")
    page = developer_client.get(address, {"tick": "find_people"})
    assert "Missing in Stage: contacts.write" in words_of(page)
    assert reverse("connection_authorize", args=[two["people"].pk]) in page.content.decode()


def test_authorizing_from_the_pre_flight_comes_back_to_the_ticks(developer_client, address, two):
    page = developer_client.get(address, {"tick": "find_people"}).content.decode()
    back = f"{address}?tick=find_people"
    assert f"?environment=all&amp;next={quote(back, safe='')}" in page


def test_the_pre_flight_says_what_is_not_authorized(developer_client, address, two):
    words = words_of(developer_client.get(address, {"tick": "find_people"}))
    assert "Not authorized" in words
    assert "1 connection will not work in Stage yet" in words


def test_an_authorization_of_development_is_not_valid_in_stage(
    developer_client, address, two, grant
):
    two["people"].separate_environments = True
    two["people"].save()
    grant(two["people"], environment="development")
    words = words_of(developer_client.get(address, {"tick": "find_people"}))
    assert "Not authorized" in words
    assert Authorization.objects.count() == 1


def test_it_accepts_more_than_a_thousand_ticks(developer_client, address, application, developer):
    Component.objects.bulk_create(
        Component(
            application=application,
            kind="page",
            name=f"Page {number}",
            link_name=f"page_{number}",
            definition='{"sections": []}',
        )
        for number in range(1_500)
    )
    names = [f"page_{number}" for number in range(1_500)]
    assert developer_client.post(address, {"tick": names}).status_code == 303
    assert len(Release.objects.get().manifest.components) == 1_500
