"""An invitation can be accepted once, and only by the owner of the address."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.accounts.models import Membership, Organization, User
from console.audit.models import Event
from console.inviting import accepting, inviting
from console.inviting.log_redaction import InvitationTokenFilter
from console.inviting.models import Invitation
from tests.inviting.conftest import EMAIL, PASSWORD, the_invitation

PAGE = "/invitations/"


def test_the_page_names_the_inviter_and_the_organization(invite, opened):
    page = opened(invite()).get(PAGE)

    assert page.status_code == 200
    text = " ".join(page.content.decode().split())
    assert (
        "super_admin@studio.example invites new@elsewhere.example to Studio, as developer" in text
    )
    assert "Choose a password" in text


def test_people_without_an_account_choose_a_password(invite, opened, studio):
    client = opened(invite())

    answer = client.post(PAGE, {"password": PASSWORD}, follow=True)

    assert answer.redirect_chain[-1][0] == "/"
    assert b"You are now developer of Studio" in answer.content
    user = User.objects.get(email=EMAIL)
    assert user.check_password(PASSWORD)
    assert user.memberships.get().organization == studio
    assert EmailAddress.objects.get(user=user).verified
    assert (the_invitation().accepted_by, the_invitation().client) == (user, None)
    assert client.get(reverse("connection_list")).status_code == 200
    assert Event.objects.filter(action="invitation.accepted", actor=user).exists()


def test_a_weak_password_is_refused_with_a_reason(invite, opened):
    client = opened(invite())

    answer = client.post(PAGE, {"password": "123"})

    assert answer.status_code == 422
    assert b"too short" in answer.content
    assert not User.objects.filter(email=EMAIL).exists()


def test_it_ignores_other_form_fields(invite, opened, stranger_organization):
    client = opened(invite(role="user"))

    client.post(
        PAGE,
        {
            "password": PASSWORD,
            "role": "super_admin",
            "organization": stranger_organization.pk,
            "email": "other@elsewhere.example",
            "is_superuser": "on",
            "client_name": "Mine",
        },
    )

    user = User.objects.get(email=EMAIL)
    assert (user.is_superuser, user.memberships.get().role) == (False, "user")
    assert user.memberships.get().organization.slug == "studio"


def test_people_with_an_account_sign_in_and_return(invite, opened, invited):
    client = opened(invite())
    page = client.get(PAGE)
    assert b'href="/accounts/login/?next=/invitations/"' in page.content
    assert b'name="password"' not in page.content

    # Without having signed in, nothing can be accepted, and no password set.
    client.post(PAGE, {"password": PASSWORD})
    assert not invited.memberships.exists()
    back = client.post(
        "/accounts/login/?next=/invitations/", {"login": EMAIL, "password": "pass-word-1"}
    )

    assert back["Location"] == PAGE
    assert b"Accept the invitation" in client.get(PAGE).content
    assert client.post(PAGE)["Location"] == "/"
    assert invited.memberships.get().role == "developer"


def test_signed_in_people_accept_with_one_button(invite, opened, invited, signed_in):
    client = opened(invite(), signed_in(invited))

    assert client.post(PAGE)["Location"] == "/"

    assert invited.memberships.get().role == "developer"


def test_the_address_may_have_any_spelling(invite, opened, invited, signed_in):
    User.objects.filter(pk=invited.pk).update(email="NEW@elsewhere.example")
    client = opened(invite("New@Elsewhere.example"), signed_in(invited))

    assert client.post(PAGE)["Location"] == "/"


def test_another_person_gets_an_explanation(invite, opened, stranger, signed_in):
    client = opened(invite(), signed_in(stranger))

    for answer in (client.get(PAGE), client.post(PAGE)):
        assert answer.status_code == 403
        assert b"you are signed in as developer@elsewhere.example" in answer.content
    assert the_invitation().accepted_at is None
    out = client.post(reverse("account_logout"), {"next": PAGE})
    assert out["Location"] == PAGE
    assert b"Choose a password" in client.get(PAGE).content


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "expired after 15 days"),
        ({"withdrawn_at": timezone.now()}, "was withdrawn"),
        ({"accepted_at": timezone.now()}, "was already accepted"),
    ],
)
def test_a_closed_invitation_says_why_and_changes_nothing(change, sentence, invite, opened):
    token = invite()
    client = opened(token)
    Invitation.objects.update(**change)

    for answer in (
        Client().get(f"/invitations/{token}/"),
        client.get(PAGE),
        client.post(PAGE, {"password": PASSWORD}),
    ):
        assert answer.status_code == 410
        assert sentence in answer.content.decode()
    assert not User.objects.filter(email=EMAIL).exists()


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "ü", "a" * 5000])
def test_it_rejects_an_invalid_link(token, db):
    answer = Client().get(f"/invitations/{token}/")

    assert answer.status_code == 404
    assert b"This link is not valid" in answer.content


def test_it_rejects_a_visit_without_a_link(db):
    for answer in (Client().get(PAGE), Client().post(PAGE)):
        assert answer.status_code == 404


def test_accepting_twice_makes_one_membership(invite, opened, invited, signed_in):
    token = invite()
    client = opened(token, signed_in(invited))
    client.post(PAGE)

    again = client.get(f"/invitations/{token}/")

    assert again.status_code == 410
    assert invited.memberships.count() == 1


def test_existing_members_keep_their_role(invite, opened, invited, signed_in, studio):
    client = opened(invite(role="super_admin"), signed_in(invited))
    Membership.objects.create(user=invited, organization=studio, role="user")

    assert client.post(PAGE).status_code == 409
    assert invited.memberships.get().role == "user"


def test_deactivated_people_cannot_accept(invite, opened, invited, signed_in, studio):
    client = opened(invite(), signed_in(invited))
    Membership.objects.create(
        user=invited, organization=studio, role="user", deactivated_at=timezone.now()
    )

    assert client.post(PAGE).status_code == 409
    assert not Organization.objects.of(invited)


def test_the_token_is_neither_stored_nor_logged(invite, opened, caplog):
    token = invite()
    Client().get(f"/invitations/{token}x/")
    client = opened(token)
    page = client.get(PAGE)

    assert token not in str(the_invitation().__dict__)
    assert token not in page.content.decode()
    assert page["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    cookie = client.cookies["console-invitation"]
    assert (cookie["httponly"], cookie["path"], cookie["samesite"]) == (True, PAGE, "Lax")


def test_opening_the_link_sends_no_referrer_and_changes_nothing(invite):
    token = invite()
    before = list(Invitation.objects.values()), Session.objects.count()

    answer = Client().get(f"/invitations/{token}/")

    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    assert (list(Invitation.objects.values()), Session.objects.count()) == before


def test_tokens_are_redacted_in_logs():
    record = logging.LogRecord(
        "django.request", 30, "", 0, "%s: %s", ("Gone", "/invitations/secret-token/?x=1"), None
    )

    assert InvitationTokenFilter().filter(record)
    assert record.getMessage() == "Gone: /invitations/…/?x=1"


def test_it_needs_a_csrf_token(invite, opened, invited):
    client = Client(enforce_csrf_checks=True)
    client.force_login(invited)
    opened(invite(), client)

    assert client.post(PAGE).status_code == 403
    assert not invited.memberships.exists()


@pytest.mark.django_db(transaction=True)
def test_accepting_twice_at_once_makes_one_membership(studio, super_admin, invited, at_once):
    invitation = inviting.invite(studio, EMAIL, "developer", super_admin, on_failure=str)

    def accept():
        try:
            accepting.accept(invitation, invited)
        except inviting.InvitationRefused as refused:
            return str(refused)
        return "done"

    outcomes = at_once(2, accept)

    assert sorted(outcomes)[1] == "done"
    assert "already accepted" in sorted(outcomes)[0]
    assert invited.memberships.count() == 1


@pytest.mark.django_db(transaction=True)
def test_joining_twice_at_once_makes_one_account(studio, super_admin, at_once):
    invitation = inviting.invite(studio, EMAIL, "developer", super_admin, on_failure=str)

    def join():
        try:
            accepting.join(invitation, PASSWORD)
        except inviting.InvitationRefused:
            return "refused"
        return "done"

    assert sorted(at_once(2, join)) == ["done", "refused"]
    assert User.objects.filter(email=EMAIL).count() == 1
