from __future__ import annotations

from django.db import connection
from django.urls import reverse


def test_it_works(client):
    response = client.get(reverse("healthz"))
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_it_sends_no_query(client, django_assert_num_queries, db):
    connection.ensure_connection()  # opening it sends queries of its own
    with django_assert_num_queries(0):
        client.get(reverse("healthz"))
