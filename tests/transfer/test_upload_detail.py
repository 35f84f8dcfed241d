from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from console.applications.models import Application
from console.choices import Role
from console.transfer.models import Upload
from tests.connections.flow_steps import words_of
from tests.transfer.files import component, connection, document, many, text_of
from tests.transfer.uploads import waiting


def test_it_works(super_admin_client, super_admin, studio):
    upload = waiting(super_admin, studio)
    response = super_admin_client.get(upload.get_absolute_url())
    assert response.status_code == 200
    words = words_of(response)
    assert "Import Repairs?" in words
    assert "Sandbox" in words
    assert "Administrator" in words
    assert "2 permissions" in words  # one of them is always included
    assert "Functions 1" in words
    assert "already used" not in words.lower()
    assert not Application.objects.exists()


def test_it_says_what_is_already_there(super_admin_client, super_admin, studio, repairs):
    words = words_of(super_admin_client.get(waiting(super_admin, studio).get_absolute_url()))
    assert (
        "The link name repairs is already used. The application will be named Repairs_copy."
        in words
    )
    assert "This name is already used. The connection will be named Customers_copy ." in words


def test_it_shows_what_each_connection_asks_for(super_admin_client, super_admin, studio):
    connections = [
        connection("All", all_actions=True, scopes=[]),
        connection("Mine", level="logged_in_user"),
        connection("Key", connector="sandbox_api_key", auth_type="api_key", scopes=[]),
    ]
    upload = waiting(super_admin, studio, connections=connections, components=[])
    words = words_of(super_admin_client.get(upload.get_absolute_url()))
    assert "All Actions, " in words
    assert "Logged-in User" in words
    assert "API key" in words


def test_a_file_without_anything_is_shown(super_admin_client, super_admin, studio):
    upload = waiting(super_admin, studio, connections=[], components=[])
    assert (
        words_of(super_admin_client.get(upload.get_absolute_url())).count("None in this file") == 2
    )


def test_what_the_file_says_is_text_and_no_markup(super_admin_client, super_admin, studio):
    page = {**component("page"), "name": "<script>alert(1)</script>"}
    upload = waiting(super_admin, studio, components=[page])
    assert b"<script>alert" not in super_admin_client.get(upload.get_absolute_url()).content


@pytest.mark.parametrize("role", [Role.SUPER_ADMIN, Role.DEVELOPER])
def test_it_hides_from_others(signed_in, member, super_admin, studio, role):
    upload = waiting(super_admin, studio)
    other = signed_in(member(studio, role, "other@studio.example"))
    assert other.get(upload.get_absolute_url()).status_code == 404


def test_a_file_older_than_a_day_is_not_offered(super_admin_client, super_admin, studio):
    upload = waiting(super_admin, studio)
    Upload.objects.update(created_at=timezone.now() - timedelta(hours=23))
    assert super_admin_client.get(upload.get_absolute_url()).status_code == 200
    Upload.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert super_admin_client.get(upload.get_absolute_url()).status_code == 404


def test_it_hides_from_people_who_may_no_longer_create_applications(
    super_admin_client, super_admin, studio
):
    upload = waiting(super_admin, studio)
    super_admin.memberships.update(role=Role.DEVELOPER)
    assert super_admin_client.get(upload.get_absolute_url()).status_code == 404


def test_it_shows_the_faults_of_a_file_that_is_no_longer_valid(
    super_admin_client, super_admin, studio
):
    upload = waiting(super_admin, studio)
    text = text_of(document(connections=[connection(connector="left_the_catalogue")]))
    Upload.objects.update(text=text)
    response = super_admin_client.get(upload.get_absolute_url())
    assert response.status_code == 422
    assert "left_the_catalogue" in words_of(response)


def test_it_takes_a_constant_number_of_queries(
    super_admin_client, super_admin, studio, django_assert_max_num_queries
):
    upload = waiting(super_admin, studio)
    for count in (20, 200):
        Upload.objects.update(text=text_of(many(count)))
        with django_assert_max_num_queries(7):
            super_admin_client.get(upload.get_absolute_url())
