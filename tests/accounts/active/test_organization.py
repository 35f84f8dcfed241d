"""The organization in the URL: redirects, permissions, and pages without one."""

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


def test_the_url_names_the_organization(client):
    assert "Their Service" in client.get(f"{ELSEWHERE}apps/field_service/").content.decode()
    page = client.get(f"{STUDIO}apps/field_service/").content.decode()
    assert "Field Service" in page
    assert "Their Service" not in page


def test_without_a_prefix_it_redirects_to_the_organization_used_last(client):
    for slug in ("studio", "elsewhere"):
        client.get(f"/o/{slug}/")
        answer = client.get("/apps/field_service/?after=x")
        assert answer["Location"] == f"/o/{slug}/apps/field_service/?after=x"


def test_the_last_used_cookie_gives_no_access(client, both, stranger_organization):
    client.get(ELSEWHERE)
    assert client.cookies["console-organization"].value == "elsewhere"
    both.memberships.filter(organization=stranger_organization).delete()
    assert client.get("/apps/field_service/").context["application"].name == "Field Service"
    client.cookies["console-organization"] = "nowhere"
    assert client.get("/").status_code == 200


def test_a_row_determines_its_organization(client, connect):
    client.get(ELSEWHERE)
    place = connect(name="Here").get_absolute_url()
    assert client.get(place)["Location"] == STUDIO[:-1] + place


def test_a_hidden_row_does_not_redirect(client, both, studio, super_admin):
    both.memberships.filter(organization=studio).update(role=Role.DEVELOPER)
    with transaction.atomic():
        record(AuditAction.MEMBERSHIP_CHANGED, studio, super_admin, both)
    event = Event.objects.get(action=AuditAction.MEMBERSHIP_CHANGED)
    assert client.get(event.get_absolute_url()).status_code == 404
    both.memberships.filter(organization=studio).update(role=Role.ADMIN)
    assert client.get(event.get_absolute_url())["Location"].startswith(STUDIO)


def test_people_with_one_organization_need_no_prefix(developer_client, application):
    for start in ("", "/o/studio"):
        answer = developer_client.get(f"{start}/apps/field_service/")
        assert answer.status_code == 200
        assert "console-organization" not in answer.cookies


def test_without_a_prefix_forms_work_for_all_organizations(client, connect):
    place = reverse("connection_rename", args=[connect(name="Here").pk])
    assert client.post(place, {"name": "There"}).status_code == 303


def test_a_row_of_another_own_organization_is_not_found(client, connect):
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


def test_administration_is_limited_to_the_organization(client, both, stranger_organization):
    listed = client.get(f"{STUDIO}admin/applications/application/").content.decode()
    assert "Field Service" in listed
    assert "Their Service" not in listed
    assert f'href="{STUDIO}admin/' in listed
    both.memberships.filter(organization=stranger_organization).update(role=Role.USER)
    assert client.get(f"{ELSEWHERE}admin/").status_code == 403


@pytest.mark.parametrize("start", ["", "/o/studio"])
def test_an_import_redirects_to_its_organization(client, both, studio, start):
    client.get(ELSEWHERE)
    place = reverse("upload_confirm", args=[waiting(both, studio).pk])
    assert client.post(start + place)["Location"] == f"{STUDIO}apps/repairs/"
    assert client.get("/apps/repairs/")["Location"] == f"{STUDIO}apps/repairs/"


# Who is out


def test_a_foreign_organization_looks_like_a_missing_one(developer_client, stranger_organization):
    for rest in ("", "apps/", "healthz", "accounts/login/", "nothing/like/that/"):
        strange, absent = (developer_client.get(f"/o/{s}/{rest}") for s in ("elsewhere", "nowhere"))
        assert (strange.status_code, absent.status_code) == (404, 404)
        assert bare(strange) == bare(absent)


def test_anonymous_people_cannot_discover_organizations(db, studio):
    for slug in ("studio", "nowhere"):
        answer = Client().get(f"/o/{slug}/apps/?q=1")
        assert answer["Location"] == f"/accounts/login/?next=/o/{slug}/apps/%3Fq%3D1"
        assert Client().get(f"/o/{slug}/accounts/login/")["Location"] == "/accounts/login/"


def test_sign_in_returns_to_the_organization(both):
    form = {"login": both.email, "password": "pass-word-1", "next": f"{STUDIO}apps/"}
    assert Client().post("/accounts/login/", form)["Location"] == f"{STUDIO}apps/"


def test_removed_people_lose_access_with_the_next_request(client, both, studio):
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


def test_every_link_of_a_page_keeps_the_prefix(client, connect):
    connect(name="Here")
    for place in ("", "apps/", "apps/field_service/", "microservices/", "microservices/new/"):
        page = client.get(STUDIO + place).content.decode()
        found = re.findall(r'(?:href|action|hx-get|hx-post|src)="(/[^"]*)"', page)
        assert len(found) > 10
        apart = ("/static/", "/o/elsewhere/", STUDIO)
        assert [address for address in found if not address.startswith(apart)] == []


def test_redirects_keep_the_prefix(client):
    started = client.post(f"{STUDIO}microservices/new/slack/")
    assert started["Location"].startswith(f"{STUDIO}connections/")
    assert client.get(f"{STUDIO}apps")["Location"] == f"{STUDIO}apps/"


def test_partial_responses_keep_the_prefix(client, connect):
    connect(name="Here")
    headers = {"HX-Request": "true", "HX-Target": "table"}
    page = client.get(f"{STUDIO}microservices/", headers=headers).content.decode()
    assert f'"{STUDIO}connections/' in page
    assert '"/connections/' not in page
    moved = client.get("/microservices/", headers=headers)
    assert moved["Location"] == f"{STUDIO}microservices/"


def test_personal_pages_have_no_prefix(client):
    answer = client.get(f"{STUDIO}accounts/password/change/?x=1")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/password/change/?x=1")
    answer = client.post(f"{STUDIO}accounts/logout/")
    assert (answer.status_code, answer["Location"]) == (307, "/accounts/logout/")
    assert client.get(f"{STUDIO}oauth/callback/sandbox/?code=c&state=s")["Location"] == (
        "/oauth/callback/sandbox/?code=c&state=s"
    )


def test_a_redirect_uri_has_no_prefix(client, connect):
    place = reverse("connection_authorize", args=[connect("slack").pk])
    page = client.get(f"/o/studio{place}")
    assert page.context["redirect_uri"] == f"{settings.PUBLIC_URL}/oauth/callback/studio--slack/"


def test_static_files_have_no_prefix(client):
    assert settings.STATIC_URL == "/static/"
    assert '"/o/studio/static/' not in client.get(STUDIO).content.decode()


def bare(response) -> str:
    return re.sub(r'"[A-Za-z0-9]{64}"', "", response.content.decode())
