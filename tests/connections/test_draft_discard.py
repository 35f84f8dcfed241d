from __future__ import annotations

from django.urls import reverse

from connections.models import Connection


def test_it_works(developer_client, connect):
    draft = connect(status="draft", link_name="")
    response = developer_client.post(reverse("draft_discard", args=[draft.pk]))
    assert response.status_code == 303
    assert not Connection.objects.exists()


def test_it_keeps_what_is_created(developer_client, connect):
    connection = connect()
    response = developer_client.post(reverse("draft_discard", args=[connection.pk]))
    assert response.status_code == 404
    assert Connection.objects.filter(pk=connection.pk).exists()
