"""Send the invitation of a client again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from console.inviting.models import Invitation
from tests.distribution.page_text import text


@pytest.fixture
def invitation(signed_in, super_admin, studio) -> Invitation:
    signed_in(super_admin).post(reverse("client_invite"), {"email": "new@partner.example"})
    return Invitation.objects.get(organization=studio)


def test_it_extends_an_expired_invitation(signed_in, super_admin, invitation):
    browser = signed_in(super_admin)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert "Expired" in text(browser.get(reverse("client_list")))
    browser.post(reverse("client_invitation_resend", args=[invitation.pk]))
    invitation.refresh_from_db()
    assert invitation.expires_at > timezone.now()
