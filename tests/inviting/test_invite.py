"""Send, resend and withdraw invitations."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from console.inviting import inviting
from console.inviting.inviting import InvitationRefused
from console.inviting.models import Invitation
from tests.inviting.conftest import EMAIL, the_invitation, token_of


def test_the_mail_names_the_inviter_the_organization_and_the_end(invite, mailoutbox, settings):
    token = invite("New@Elsewhere.example")

    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == ([EMAIL], "Invitation to Studio")
    assert "super_admin@studio.example invites you to Studio" in mail.body
    assert f"{settings.PUBLIC_URL}/invitations/{token}/" in mail.body
    assert f"{the_invitation().expires_at:%B %Y}" in mail.body
    assert the_invitation().expires_at - the_invitation().sent_at <= timedelta(days=15)


def test_names_are_not_escaped_in_mail(invite, mailoutbox, studio):
    studio.name = "Tom & Jerry\nBcc: x@y.example"
    studio.save()

    invite()

    assert mailoutbox[0].subject == "Invitation to Tom & Jerry Bcc: x@y.example"
    assert mailoutbox[0].to == [EMAIL]


def test_resending_ends_the_old_link(
    invite, studio, super_admin, mailoutbox, django_capture_on_commit_callbacks
):
    old = invite()
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))

    with django_capture_on_commit_callbacks(execute=True):
        inviting.resend(the_invitation(), super_admin, on_failure=pytest.fail)

    new = token_of(mailoutbox[1])
    assert Client().get(f"/invitations/{old}/").status_code == 404
    assert Client().get(f"/invitations/{new}/").status_code == 303
    assert the_invitation().expires_at > timezone.now() + timedelta(days=14)


def test_withdrawing_ends_the_link(invite, super_admin):
    token = invite()

    inviting.withdraw(the_invitation(), super_admin)

    assert Client().get(f"/invitations/{token}/").status_code == 410
    invite()  # and the address can be invited again


@pytest.mark.parametrize("verb", ["resend", "withdraw"])
@pytest.mark.parametrize("end", ["accepted_at", "withdrawn_at"])
def test_it_refuses_closed_invitations(verb, end, invite, super_admin):
    invite()
    Invitation.objects.update(**{end: timezone.now()})
    extra = {"on_failure": pytest.fail} if verb == "resend" else {}

    with pytest.raises(InvitationRefused):
        getattr(inviting, verb)(the_invitation(), super_admin, **extra)


def test_an_address_has_one_open_invitation_of_each_kind(invite, super_admin):
    invite()
    invite(role="")

    for role in ("developer", "user", ""):
        with pytest.raises(InvitationRefused, match="is already invited"):
            invite(role=role)
    with pytest.raises(IntegrityError), transaction.atomic():
        copy = Invitation.objects.as_client().get()
        copy.pk, copy.token_hash, copy._state.adding = None, "x", True
        copy.save(force_insert=True)


def test_it_refuses_members(invite, developer):
    with pytest.raises(InvitationRefused, match="is already a member of Studio"):
        invite("Developer@studio.example")
    developer.memberships.update(deactivated_at=timezone.now())
    with pytest.raises(InvitationRefused, match="Reactivate them instead"):
        invite("developer@studio.example")


@pytest.mark.parametrize("role", ["admin", "developer", "user"])
def test_it_requires_a_super_admin(role, member, studio):
    with pytest.raises(PermissionDenied):
        inviting.invite(studio, EMAIL, "user", member(studio, role), on_failure=pytest.fail)
    assert not Invitation.objects.exists()


def test_it_refuses_super_admins_of_other_organizations(member, studio, stranger_organization):
    other = member(stranger_organization, "super_admin")

    with pytest.raises(PermissionDenied):
        inviting.invite(studio, EMAIL, "user", other, on_failure=pytest.fail)


@pytest.mark.parametrize("backend", ["broken", "dummy"])
def test_without_mail_it_keeps_the_invitation_and_reports_the_problem(
    backend, settings, studio, super_admin, django_capture_on_commit_callbacks
):
    if backend == "dummy":
        settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    else:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    problems = []

    with django_capture_on_commit_callbacks(execute=True):
        inviting.invite(studio, EMAIL, "user", super_admin, on_failure=problems.append)

    assert the_invitation().status == "open"
    assert "was saved, but" in problems[0]
    assert "EMAIL_URL" in problems[0]
