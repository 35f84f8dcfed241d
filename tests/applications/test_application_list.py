from __future__ import annotations

from django.urls import reverse

from console.applications.models import Application
from tests.connections.flow_steps import words_of

ADDRESS = reverse("application_list")


def test_it_works(developer_client, stranger_organization):
    Application.objects.create(
        organization=stranger_organization, name="Secret plan", link_name="secret_plan"
    )
    page = words_of(developer_client.get(ADDRESS))
    assert "Field Service" in page
    assert "Secret plan" not in page


def test_a_super_admin_may_create_one(super_admin, signed_in, developer_client):
    add = reverse("application_create")
    assert add in signed_in(super_admin).get(ADDRESS).content.decode()
    assert add not in developer_client.get(ADDRESS).content.decode()
