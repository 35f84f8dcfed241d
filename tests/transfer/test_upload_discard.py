from __future__ import annotations

from django.urls import reverse

from console.applications.models import Application
from console.transfer.models import Upload
from tests.transfer.uploads import waiting


def address(upload: Upload) -> str:
    return reverse("upload_discard", args=[upload.pk])


def test_it_works(super_admin_client, super_admin, studio):
    response = super_admin_client.post(address(waiting(super_admin, studio)))
    assert (response.status_code, response["Location"]) == (303, reverse("application_list"))
    assert not Upload.objects.exists()
    assert not Application.objects.exists()


def test_it_hides_from_others(signed_in, super_admin, stranger, studio):
    assert signed_in(stranger).post(address(waiting(super_admin, studio))).status_code == 404
    assert Upload.objects.exists()


def test_it_rejects_get(super_admin_client, super_admin, studio):
    upload = waiting(super_admin, studio)
    assert super_admin_client.get(address(upload)).status_code == 405
