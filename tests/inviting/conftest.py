"""Invitations, and the links in their mails."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from console.accounts.models import Organization, User
from console.inviting import inviting
from console.inviting.models import Invitation

EMAIL = "new@elsewhere.example"
PASSWORD = "a-long-enough-word"


@pytest.fixture(autouse=True)
def mail_server(settings) -> None:
    """Turn mail on, with the backend that keeps sent messages."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def invite(studio, super_admin, mailoutbox, django_capture_on_commit_callbacks):
    """Invite an address and return the token of the link in the mail."""

    def send(email: str = EMAIL, role: str = "developer", place: Organization | None = None) -> str:
        with django_capture_on_commit_callbacks(execute=True):
            inviting.invite(place or studio, email, role, super_admin, on_failure=pytest.fail)
        return token_of(mailoutbox[-1])

    return send


@pytest.fixture
def invited(db) -> User:
    """A person with an account and no membership."""
    return User.objects.create_user(EMAIL, "pass-word-1")


@pytest.fixture
def opened() -> Callable[..., Client]:
    """Open the link in the mail and return the browser."""

    def follow(token: str, client: Client | None = None) -> Client:
        client = client or Client()
        answer = client.get(f"/invitations/{token}/")
        assert (answer.status_code, answer["Location"]) == (303, "/invitations/")
        return client

    return follow


def token_of(mail) -> str:
    found = re.findall(r"/invitations/([^/\s]+)/", mail.body)
    assert len(found) == 1
    return found[0]


def the_invitation() -> Invitation:
    return Invitation.objects.get()
