"""Invite a client by mail."""

from __future__ import annotations

from django.urls import reverse

from console.accounts.models import Membership, Organization
from console.choices import Role
from console.inviting.models import Invitation
from tests.distribution.page_text import text


def test_it_invites_once(signed_in, super_admin, studio):
    browser = signed_in(super_admin)
    data = {"email": "New@Partner.example"}
    assert browser.post(reverse("client_invite"), data).status_code == 303
    assert Invitation.objects.get(organization=studio)
    page = text(browser.get(reverse("client_list")))
    assert "new@partner.example" in page
    assert "Valid for 2 weeks" in page.replace("\xa0", " ")
    again = browser.post(reverse("client_invite"), data)
    assert again.status_code == 422
    assert "is already invited" in text(again)


def test_it_does_not_invite_a_client_again(signed_in, super_admin, boss, client_organization):
    browser = signed_in(super_admin)
    response = browser.post(reverse("client_invite"), {"email": boss.email})
    assert response.status_code == 422
    assert f"Client, which {boss.email} leads, is already a client of Studio." in text(response)
    assert not Invitation.objects.open().exists()


def test_it_invites_the_head_of_a_client_for_another_organization(
    signed_in, super_admin, boss, client_organization
):
    other = Organization.objects.create(name="Another", slug="another")
    Membership.objects.create(user=boss, organization=other, role=Role.SUPER_ADMIN)
    browser = signed_in(super_admin)
    assert browser.post(reverse("client_invite"), {"email": boss.email}).status_code == 303
    assert Invitation.objects.open().get().email == boss.email
