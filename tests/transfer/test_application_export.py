from __future__ import annotations

import uuid

from django.urls import reverse

from console.applications.models import Application
from console.transfer.exporting import export


def address(application: Application) -> str:
    return reverse("application_export", args=[application.pk])


def test_it_works(developer_client, application, connect):
    connect()
    response = developer_client.get(address(application))
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == 'attachment; filename="field_service.json"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response.content.decode() == export(application)


def test_it_hides_from_strangers(signed_in, stranger, application):
    assert signed_in(stranger).get(address(application)).status_code == 404


def test_what_is_not_there_is_not_found(developer_client):
    place = reverse("application_export", args=[uuid.uuid4()])
    assert developer_client.get(place).status_code == 404


def test_it_rejects_post(developer_client, application):
    assert developer_client.post(address(application)).status_code == 405
