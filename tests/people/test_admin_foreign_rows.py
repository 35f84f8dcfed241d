"""In Administration, rows of other organizations look like missing rows."""

from __future__ import annotations

import uuid

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.urls import NoReverseMatch, reverse

from connections.models import OAuthClient
from console.applications.models import Application
from console.choices import Role


@pytest.fixture
def foreign(stranger_organization, member):
    """Return one row of each model of another organization."""
    client = OAuthClient.objects.create(
        connector_slug="sandbox",
        client_id="c",
        client_secret="s",
        organization=stranger_organization,
    )
    application = Application.objects.create(
        organization=stranger_organization, name="Theirs", link_name="theirs"
    )
    person = member(stranger_organization, Role.USER)
    address = person.emailaddress_set.get()
    return [client, application, stranger_organization, person.memberships.get(), person, address]


def answer(client, path: str, key: str) -> tuple[int, str]:
    response = client.get(path, follow=True)
    return response.status_code, response.request["PATH_INFO"].replace(key, "KEY")


@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_pages_of_foreign_rows_look_like_missing_ones(
    page, foreign, super_admin, signed_in, application
):
    client = signed_in(super_admin)
    for row in foreign:
        answers = []
        for key in (row.pk, 99999 if isinstance(row.pk, int) else uuid.uuid4()):
            opts = row._meta
            path = reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}", args=[key])
            answers.append(answer(client, path, str(key)))
        assert answers[0] == answers[1], row


def test_view_on_site_does_not_exist(foreign, super_admin, signed_in):
    with pytest.raises(NoReverseMatch):
        reverse("admin:view_on_site", args=[1, 1])
    client = signed_in(super_admin)
    for row in foreign:
        kind = ContentType.objects.get_for_model(row).pk
        assert client.get(f"/admin/r/{kind}/{row.pk}/").status_code == 404
        assert client.get(f"/admin/r/{kind}/{uuid.uuid4()}/").status_code == 404


def test_lists_cannot_be_filtered_by_foreign_rows(foreign, super_admin, signed_in):
    client = signed_in(super_admin)
    place = reverse("admin:accounts_membership_changelist")
    found = [
        list(client.get(place, {"organization__id__exact": str(key)}).context["cl"].queryset)
        for key in (foreign[2].pk, uuid.uuid4())
    ]
    assert found[0] == found[1]
    assert foreign[3] not in found[0]
    for key in (foreign[2].pk, uuid.uuid4()):
        assert client.get(place, {"organization__slug": str(key)}).status_code == 400
    assert client.get(place, {"user__password__startswith": "m"}).status_code == 400


def test_choices_contain_no_foreign_rows(foreign, super_admin, signed_in):
    client = signed_in(super_admin)
    query = {"app_label": "accounts", "model_name": "membership", "field_name": "organization"}
    for term in ("Else", "nothing"):
        answer = client.get(reverse("admin:autocomplete"), {**query, "term": term})
        assert (answer.status_code, answer.json()["results"]) == (200, [])


def test_no_page_links_to_view_on_site(application, super_admin, signed_in):
    place = reverse("admin:applications_application_change", args=[application.pk])
    page = signed_in(super_admin).get(place).content.decode()
    assert application.get_absolute_url() in page


def test_admin_pages_link_directly_to_the_row(application):
    for model, page in admin.site._registry.items():
        if hasattr(model, "get_absolute_url"):
            assert type(page).get_view_on_site_url is not admin.ModelAdmin.get_view_on_site_url
