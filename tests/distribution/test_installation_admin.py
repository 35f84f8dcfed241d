"""Administration lists installations; super admins see those of their own organizations only."""

from __future__ import annotations

from django.urls import reverse

LIST = "admin:publishing_installation_changelist"


def test_a_super_admin_sees_installations_of_their_organization(installed, signed_in, boss):
    installation = installed()
    page = signed_in(boss).get(reverse(LIST))
    assert page.status_code == 200
    assert installation.application.name in page.content.decode()


def test_a_super_admin_does_not_see_those_of_others(installed, signed_in, super_admin):
    installed()
    page = signed_in(super_admin).get(reverse(LIST))
    assert page.context["cl"].result_count == 0


def test_the_operator_sees_all(installed, signed_in, operator):
    installed()
    page = signed_in(operator).get(reverse(LIST))
    assert page.context["cl"].result_count == 1


def test_it_is_read_only(installed, signed_in, operator):
    installation, client = installed(), signed_in(operator)
    assert client.get(reverse("admin:publishing_installation_add")).status_code == 403
    page = reverse("admin:publishing_installation_change", args=[installation.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {"ends_at": ""}).status_code == 403
    delete = reverse("admin:publishing_installation_delete", args=[installation.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
