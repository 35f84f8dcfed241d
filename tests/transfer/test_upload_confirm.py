from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.models import Connection
from console.applications.models import Application
from console.transfer.import_lease import import_lease
from console.transfer.importing import import_application
from console.transfer.models import ImportLease, Upload
from tests.connections.flow_steps import words_of
from tests.transfer.files import connection, document, text_of
from tests.transfer.uploads import waiting


def address(upload: Upload) -> str:
    return reverse("upload_confirm", args=[upload.pk])


def test_it_works(super_admin_client, super_admin, studio):
    response = super_admin_client.post(address(waiting(super_admin, studio)))

    application = Application.objects.get()
    assert (response.status_code, response["Location"]) == (303, application.get_absolute_url())
    assert application.connections.get().created_by == super_admin
    assert application.components.count() == 2
    assert not Upload.objects.exists()


def said(client) -> str:
    """Return the messages that wait for the next page, whichever that is."""
    return words_of(client.get("/"))


def test_it_says_what_to_authorize_next(super_admin_client, super_admin, studio):
    super_admin_client.post(address(waiting(super_admin, studio)))
    words = said(super_admin_client)
    assert "Repairs was imported with the link name repairs. Next, authorize Customers:" in words


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (2, "authorize Service 0 and Service 1:"),
        (4, "authorize Service 0, Service 1, Service 2 and Service 3:"),
        (9, "authorize Service 0, Service 1, Service 2 and 6 more:"),
    ],
)
def test_of_many_connections_it_names_a_few(
    super_admin_client, super_admin, studio, count, expected
):
    connections = [connection(f"Service {number}") for number in range(count)]
    super_admin_client.post(
        address(waiting(super_admin, studio, connections=connections, components=[]))
    )
    assert expected in said(super_admin_client)


def test_without_connections_there_is_nothing_to_authorize(super_admin_client, super_admin, studio):
    super_admin_client.post(address(waiting(super_admin, studio, connections=[], components=[])))
    words = said(super_admin_client)
    assert "Repairs was imported" in words
    assert "authorize" not in words.split("Repairs was imported")[1][:60]


def test_it_chooses_free_names_again(super_admin_client, super_admin, studio):
    upload = waiting(super_admin, studio)
    super_admin_client.get(upload.get_absolute_url())
    import_application(text_of(document()), studio, super_admin)

    super_admin_client.post(address(upload))

    words = said(super_admin_client)
    assert "Repairs_copy was imported with the link name repairs_copy." in words
    assert "authorize Customers_copy:" in words


def test_pressed_twice_it_imports_once(super_admin_client, super_admin, studio):
    upload = waiting(super_admin, studio)
    super_admin_client.post(address(upload))
    assert super_admin_client.post(address(upload)).status_code == 404
    assert Application.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_pressed_twice_at_once_it_imports_once(signed_in, super_admin, studio, at_once):
    place = address(waiting(super_admin, studio))
    clients = [signed_in(super_admin), signed_in(super_admin)]
    statuses = at_once(2, lambda: clients.pop().post(place).status_code)
    assert set(statuses) <= {
        303,
        404,
    }  # redirected to the preview while the other request imports it
    assert Application.objects.count() == 1


def test_while_another_file_of_the_organization_is_imported_it_says_so(
    super_admin_client, super_admin, studio
):
    upload = waiting(super_admin, studio)
    with import_lease(studio):
        response = super_admin_client.post(address(upload))
    assert response["Location"] == reverse("upload_detail", args=[upload.pk])
    assert "Another file is being imported into Studio" in said(super_admin_client)
    assert not Application.objects.exists()
    assert Upload.objects.exists()


def test_an_expired_lease_does_not_block(super_admin_client, super_admin, studio):
    over = timezone.now() - timedelta(seconds=1)
    ImportLease.objects.create(organization=studio, owner="gone", until=over)
    super_admin_client.post(address(waiting(super_admin, studio)))
    assert Application.objects.count() == 1
    assert not ImportLease.objects.exists()


def test_it_hides_from_others(signed_in, super_admin, stranger, studio):
    assert signed_in(stranger).post(address(waiting(super_admin, studio))).status_code == 404
    assert not Application.objects.exists()


def test_an_upload_older_than_a_day_is_not_found(super_admin_client, super_admin, studio):
    upload = waiting(super_admin, studio)
    Upload.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert super_admin_client.post(address(upload)).status_code == 404


def test_a_file_that_is_no_longer_valid_is_kept_and_its_faults_are_shown(
    super_admin_client, super_admin, studio
):
    upload = waiting(super_admin, studio, connections=[connection(connector="gone_by_now")])
    response = super_admin_client.post(address(upload))
    assert response.status_code == 422
    assert "gone_by_now" in words_of(response)
    assert not Connection.objects.exists()
    assert Upload.objects.exists()


def test_it_rejects_get(super_admin_client, super_admin, studio):
    upload = waiting(super_admin, studio)
    assert super_admin_client.get(address(upload)).status_code == 405
