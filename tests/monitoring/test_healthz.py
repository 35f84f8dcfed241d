from __future__ import annotations

from django.urls import reverse


def test_it_works(client):
    response = client.get(reverse("healthz"))
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_it_asks_no_database(client, django_assert_num_queries, db):
    with django_assert_num_queries(0):
        client.get(reverse("healthz"))
