"""The organization in the address: what it opens, what it narrows, and where it stays out."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import reverse

from console.accounts.models import Organization
from console.audit.actions import AuditAction
from console.audit.log import record
from console.audit.models import Event
from console.choices import Role
from tests.transfer.uploads import waiting

ELSEWHERE, STUDIO = "/o/elsewhere/", "/o/studio/"


# Which one is active


def test_the_address_says_whose_application_it_is(client):
    assert "Their Service" in client.get(f"{ELSEWHERE}apps/field_service/").content.decode()
    page = client.get(f"{STUDIO}apps/field_service/").content.decode()
    assert "Field Service" in page
    assert "Their Service" not in page


def test_without_it_the_one_that_was_used_last_is_meant(client):
    for slug in ("studio", "elsewhere"):
        client.get(f"/o/{slug}/")
        answer = client.get("/apps/field_service/?after=x")
        assert answer["Location"] == f"/o/{slug}/apps/field_service/?after=x"


def test_what_was_used_last_opens_nothing(client, both, stranger_organization):
    client.get(ELSEWHERE)
    assert client.cookies["console-organization"].value == "elsewhere"
    both.memberships.filter(organization=stranger_organization).delete()
    assert client.get("/apps/field_service/").context["application"].name == "Field Service"
    client.cookies["console-organization"] = "nowhere"
    assert client.get("/").status_code == 200


def test_a_row_says_whose_it_is(client, connect):
    client.get(ELSEWHERE)
    place = connect(name="Here").get_absolute_url()
    assert client.get(place)["Location"] == STUDIO[:-1] + place


def test_a_row_that_he_may_not_see_leads_nowhere(client, both, studio, super_admin):
    both.memberships.filter(organization=studio).update(role=Role.DEVELOPER)
    with transaction.atomic():
        record(AuditAction.MEMBERSHIP_CHANGED, studio, super_admin, both)
    event = Event.objects.get(action=AuditAction.MEMBERSHIP_CHANGED)
    assert client.get(event.get_absolute_url()).status_code == 404
    both.memberships.filter(organization=studio).update(role=Role.ADMIN)
    assert client.get(event.get_absolute_url())["Location"].startswith(STUDIO)


def test_who_has_one_organization_needs_none_in_the_address(developer_client, application):
    for start in ("", "/o/studio"):
        answer = developer_client.get(f"{start}/apps/field_service/")
        assert answer.status_code == 200
        assert "console-organization" not in answer.cookies


def test_without_it_forms_answer_for_all_of_his(client, connect):
    place = reverse("connection_rename", args=[connect(name="Here").pk])
    assert client.post(place, {"name": "There"}).status_code == 303


def test_a_row_of_his_other_organization_is_not_there(client, connect):
    place = connect(name="Here").get_absolute_url()
    assert client.get(f"/o/studio{place}").status_code == 200
    assert client.get(f"/o/elsewhere{place}").status_code == 404


def test_a_role_elsewhere_does_not_help_here(client, both, stranger_organization):
    both.memberships.filter(organization=stranger_organization).update(role=Role.USER)
    assert client.get(f"{ELSEWHERE}microservices/").status_code == 403
    doors = [door.label for door in client.get(ELSEWHERE).context["navigation"]]
    assert "Microservices" not in doors
    doors = [door.label for door in client.get(STUDIO).context["navigation"]]
    assert "Microservices" in doors


def test_administration_is_that_of_the_organization(client, both, stranger_organization):
    listed = client.get(f"{STUDIO}admin/applications/application/").content.decode()
    assert "Field Service" in listed
    assert "Their Service" not in listed
    assert f'href="{STUDIO}admin/' in listed
    both.memberships.filter(organization=stranger_organization).update(role=Role.USER)
    assert client.get(f"{ELSEWHERE}admin/").status_code == 403


@pytest.mark.parametrize("start", ["", "/o/studio"])
def test_an_import_leads_to_the_organization_that_it_went_into(client, both, studio, start):
    client.get(ELSEWHERE)
    place = reverse("upload_confirm", args=[waiting(both, studio).pk])
    assert client.post(start + place)["Location"] == f"{STUDIO}apps/repairs/"
    assert client.get("/apps/repairs/")["Location"] == f"{STUDIO}apps/repairs/"


# Who is out


def test_a_strange_organization_is_as_one_that_is_not_there(
    developer_client, stranger_organization
):
    for rest in ("", "apps/", "healthz", "accounts/login/", "nothing/like/that/"):
        strange, absent = (developer_client.get(f"/o/{s}/{rest}") for s in ("elsewhere", "nowhere"))
        assert (strange.status_code, absent.status_code) == (404, 404)
        assert bare(strange) == bare(absent)


def test_who_is_not_signed_in_learns_of_no_organization(db, studio):
    for slug in ("studio", "nowhere"):
        answer = Client().get(f"/o/{slug}/apps/?q=1")
        assert answer["Location"] == f"/accounts/login/?next=/o/{slug}/apps/%3Fq%3D1"
        assert Client().get(f"/o/{slug}/accounts/login/")["Location"] == "/accounts/login/"


def test_signing_in_leads_back_to_it(both):
    form = {"login": both.email, "password": "pass-word-1", "next": f"{STUDIO}apps/"}
    assert Client().post("/accounts/login/", form)["Location"] == f"{STUDIO}apps/"


def test_who_is_put_out_is_out_at_the_next_request(client, both, studio):
    assert client.get(STUDIO).status_code == 200
    both.memberships.filter(organization=studio).delete()
    assert client.get(STUDIO).status_code == 404


@pytest.mark.parametrize("slug", ["admin", "o", "accounts", "static", "apps"])
def test_a_slug_may_be_any_word(slug, member):
    user = member(Organization.objects.create(name=slug, slug=slug), Role.SUPER_ADMIN)
    client = Client()
    client.force_login(user)
    assert client.get(f"/o/{slug}/").status_code == 200
    assert client.get(f"/o/{slug}").status_code == 200
    assert client.get(f"/o/{slug}/apps/").status_code == 200
    assert client.get(f"/o/{slug}/o/{slug}/").status_code == 404
    assert client.get(f"/o/{slug}//").status_code == 404
    assert client.get("/admin/").status_code == 200


# Where it stands, and where not


def test_every_address_of_a_page_keeps_it(client, connect):
    connect(name="Here")
    for place in ("", "apps/", "apps/field_service/", "microservices/", "microservices/new/"):
        page = client.get(STUDIO + place).content.decode()
        found = re.findall(r'(?:href|action|hx-get|hx-post|src)="(/[^"]*)"', page)
        assert len(found) > 10
        apart = ("/static/", "/o/elsewhere/", STUDIO)
        assert [address for address in found if not address.startswith(apart)] == []


def test_redirects_keep_it(client):
    started = client.post(f"{STUDIO}microservices/new/slack/")
    assert started["Location"].startswith(f"{STUDIO}connections/")
    assert client.get(f"{STUDIO}apps")["Location"] == f"{STUDIO}apps/"


def test_what_htmx_gets_keeps_it(client, connect):
    connect(name="Here")
    headers = {"HX-Request": "true", "HX-Target": "table"}
    page = client.get(f"{STUDIO}microservices/", headers=headers).content.decode()
    assert f'"{STUDIO}connections/' in page
    assert '"/connections/' not in page
    moved = client.get("/microservices/", headers=headers)
    assert moved["Location"] == f"{STUDIO}microservices/"


def test_what_belongs_to_nobodys_organization_is_outside_of_it(client):
    answer = client.get(f"{STUDIO}accounts/password/change/?x=1")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/password/change/?x=1")
    answer = client.post(f"{STUDIO}accounts/logout/")
    assert (answer.status_code, answer["Location"]) == (307, "/accounts/logout/")
    assert client.get(f"{STUDIO}oauth/callback/sandbox/?code=c&state=s")["Location"] == (
        "/oauth/callback/sandbox/?code=c&state=s"
    )


def test_a_redirect_uri_never_has_it(client, connect):
    place = reverse("connection_authorize", args=[connect("slack").pk])
    page = client.get(f"/o/studio{place}")
    assert page.context["redirect_uri"] == f"{settings.PUBLIC_URL}/oauth/callback/studio--slack/"


def test_static_files_never_have_it(client):
    assert settings.STATIC_URL == "/static/"
    assert '"/o/studio/static/' not in client.get(STUDIO).content.decode()


def bare(response) -> str:
    return re.sub(r'"[A-Za-z0-9]{64}"', "", response.content.decode())
