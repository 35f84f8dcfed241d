"""Installations in Administration: super admins see only those of their organizations."""

from __future__ import annotations

from django.urls import reverse

LIST = "admin:publishing_installation_changelist"


def test_super_admins_see_installations_of_their_organization(installed, signed_in, boss):
    there = installed()
    page = signed_in(boss).get(reverse(LIST))
    assert page.status_code == 200
    assert there.application.name in page.content.decode()


def test_super_admins_do_not_see_other_organizations(installed, signed_in, super_admin):
    installed()
    page = signed_in(super_admin).get(reverse(LIST))
    assert page.context["cl"].result_count == 0


def test_operators_see_all_installations(installed, signed_in, operator):
    installed()
    page = signed_in(operator).get(reverse(LIST))
    assert page.context["cl"].result_count == 1


def test_installations_are_read_only(installed, signed_in, operator):
    there, client = installed(), signed_in(operator)
    assert client.get(reverse("admin:publishing_installation_add")).status_code == 403
    page = reverse("admin:publishing_installation_change", args=[there.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {"ends_at": ""}).status_code == 403
    delete = reverse("admin:publishing_installation_delete", args=[there.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
