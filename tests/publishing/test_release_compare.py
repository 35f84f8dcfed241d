"""Compare two releases."""

from __future__ import annotations

from django.urls import reverse

from tests.connections.flow_steps import words_of


def test_it_compares_two_releases(developer_client, application, two, publish, ask_for):
    publish("find_people")
    ask_for(two["people"], "contacts.write")
    publish("find_people")
    address = reverse("release_compare", args=[application.pk])
    words = words_of(developer_client.get(address, {"before": "1", "after": "2"}))
    assert "Now also asks for contacts.write." in words
    assert "No longer asks for contacts.read." in words
    words = words_of(developer_client.get(address, {"before": "2", "after": "development"}))
    assert "Order parts Function · order_parts Added" in words


def test_an_invalid_side_is_not_found(developer_client, application, two, publish):
    publish("find_people")
    address = reverse("release_compare", args=[application.pk])
    for before in ("2", "", "x", "\x00"):
        response = developer_client.get(address, {"before": before, "after": "1"})
        assert response.status_code == 404
