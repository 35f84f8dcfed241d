"""Invite a client by mail."""

from __future__ import annotations

from django.urls import reverse

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
