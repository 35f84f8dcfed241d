from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.accounts.models import Membership
from console.applications.models import Application
from console.choices import Role
from console.transfer.importing import MAX_BYTES
from console.transfer.models import Upload
from tests.connections.flow_steps import words_of
from tests.transfer.files import connection, document, text_of

ADDRESS = "/applications/import/"


def send(
    client: Client, text: str | bytes, name: str = "repairs.json", **data: Any
) -> HttpResponse:
    content = text if isinstance(text, bytes) else text.encode()
    file = SimpleUploadedFile(name, content, content_type="application/json")
    return client.post(ADDRESS, {"file": file, **data})


def test_it_works(super_admin_client, super_admin, studio):
    response = send(super_admin_client, text_of(document()))

    upload = Upload.objects.get()
    assert (response.status_code, response["Location"]) == (303, upload.get_absolute_url())
    assert (upload.user, upload.organization) == (super_admin, studio)
    assert (upload.file_name, upload.text) == ("repairs.json", text_of(document()))
    assert not Application.objects.exists()


def test_it_is_reached_from_the_list_of_applications(super_admin_client, developer_client):
    place = reverse("application_list")
    assert f'href="{ADDRESS}"' in super_admin_client.get(place).content.decode()
    assert f'href="{ADDRESS}"' not in developer_client.get(place).content.decode()


def test_it_asks_for_a_file(super_admin_client):
    response = super_admin_client.get(ADDRESS)
    assert response.status_code == 200
    assert b'enctype="multipart/form-data"' in response.content
    assert super_admin_client.post(ADDRESS).status_code == 422


@pytest.mark.parametrize("role", [Role.ADMIN, Role.DEVELOPER, Role.USER])
def test_it_requires_the_right_to_create_applications(signed_in, member, studio, role):
    client = signed_in(member(studio, role))
    assert client.get(ADDRESS).status_code == 403
    assert send(client, text_of(document())).status_code == 403
    assert not Upload.objects.exists()


def test_a_new_file_replaces_the_previous_one(super_admin_client):
    send(super_admin_client, text_of(document()))
    former = Upload.objects.get()
    send(super_admin_client, text_of(document(components=[])), "second.json")
    assert Upload.objects.get().file_name == "second.json"
    assert super_admin_client.get(former.get_absolute_url()).status_code == 404


def test_a_new_file_replaces_an_expired_one(super_admin_client):
    send(super_admin_client, text_of(document()))
    Upload.objects.update(created_at=timezone.now() - timedelta(days=9))
    send(super_admin_client, text_of(document()), "second.json")
    assert Upload.objects.get().file_name == "second.json"


def test_a_faulty_file_is_answered_with_its_faults(super_admin_client):
    value = document(connections=[connection(connector="sandbux"), connection("<b>B</b>")])
    response = send(super_admin_client, text_of(value))
    assert response.status_code == 422
    words = words_of(response)
    assert "nothing was imported" in words
    assert "Line 12, column 20" in words
    assert "connections.0.connector" in words
    assert "Did you mean sandbox" in words
    assert b"<b>B" not in response.content
    assert not Upload.objects.exists()


def test_a_faulty_file_keeps_the_previous_one(super_admin_client):
    send(super_admin_client, text_of(document()))
    send(super_admin_client, "{")
    assert Upload.objects.get().file_name == "repairs.json"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe{}", b"{", b"[" * 10_000, b'{"a": "\\u0000"}'])
def test_it_refuses_other_files(super_admin_client, content):
    assert send(super_admin_client, content).status_code == 422
    assert not Upload.objects.exists()


def test_a_file_that_is_too_large_is_refused(super_admin_client):
    response = send(super_admin_client, b" " * (MAX_BYTES + 1))
    assert response.status_code == 422
    assert "10 MB" in words_of(response)


def test_a_file_may_have_any_name(super_admin_client):
    send(super_admin_client, text_of(document()), "Größe\n" + "x" * 300 + ".json")
    assert len(Upload.objects.get().file_name) <= 200


def test_with_several_organizations_it_asks_for_which(
    super_admin_client, super_admin, studio, stranger_organization
):
    assert b'name="organization"' not in super_admin_client.get(ADDRESS).content
    Membership.objects.create(
        user=super_admin, organization=stranger_organization, role=Role.SUPER_ADMIN
    )
    # The address of the page names one; only what comes without one is asked.
    page = super_admin_client.get(ADDRESS, follow=True)
    assert page.status_code == 200
    assert b'name="organization"' not in page.content
    answer = send(super_admin_client, text_of(document()))
    assert answer.status_code == 422
    assert b'name="organization"' in answer.content
    send(super_admin_client, text_of(document()), organization=stranger_organization.pk)
    assert Upload.objects.get().organization == stranger_organization


def test_the_chosen_organization_is_kept_when_the_file_is_faulty(
    super_admin_client, super_admin, stranger_organization
):
    Membership.objects.create(
        user=super_admin, organization=stranger_organization, role=Role.SUPER_ADMIN
    )
    page = send(super_admin_client, "{", organization=stranger_organization.pk).content.decode()
    assert f'value="{stranger_organization.pk}" selected' in page


def test_an_organization_of_others_cannot_be_chosen(
    super_admin_client, super_admin, member, stranger_organization
):
    Membership.objects.create(
        user=super_admin, organization=stranger_organization, role=Role.DEVELOPER
    )
    send(super_admin_client, text_of(document()), organization=stranger_organization.pk)
    assert Upload.objects.get().organization != stranger_organization
