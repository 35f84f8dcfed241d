"""Withdraw the invitation of a client."""

from __future__ import annotations

import pytest
from django.urls import reverse

from console.inviting.models import Invitation
from tests.distribution.page_text import text


@pytest.fixture
def invitation(signed_in, super_admin, studio) -> Invitation:
    signed_in(super_admin).post(reverse("client_invite"), {"email": "new@partner.example"})
    return Invitation.objects.get(organization=studio)


def test_a_withdrawn_invitation_cannot_be_sent_again(signed_in, super_admin, invitation):
    browser = signed_in(super_admin)
    browser.post(reverse("client_invitation_withdraw", args=[invitation.pk]))
    address = reverse("client_invitation_resend", args=[invitation.pk])
    assert "was withdrawn" in text(browser.post(address, follow=True))
