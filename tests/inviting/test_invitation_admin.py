"""Super admins invite into their own organizations in Administration."""

from __future__ import annotations

import pytest
from django.urls import reverse

from console.inviting.models import Invitation
from tests.inviting.conftest import EMAIL, the_invitation, token_of

LIST = "admin:inviting_invitation_changelist"
ADD = "admin:inviting_invitation_add"


@pytest.fixture
def admin(signed_in, super_admin):
    return signed_in(super_admin)


@pytest.fixture
def add(admin, django_capture_on_commit_callbacks):
    def send(place, email: str = EMAIL, role: str = "developer"):
        data = {"email": email, "organization": place.pk, "role": role}
        with django_capture_on_commit_callbacks(execute=True):
            return admin.post(reverse(ADD), data)

    return send


def test_adding_an_invitation_sends_it(add, studio, super_admin, mailoutbox):
    assert add(studio)["Location"] == reverse(LIST)

    row = the_invitation()
    assert (row.email, row.role, row.invited_by) == (EMAIL, "developer", super_admin)
    assert token_of(mailoutbox[0])


def test_it_rejects_other_organizations(add, stranger_organization, mailoutbox):
    assert add(stranger_organization).status_code == 200

    assert not Invitation.objects.exists()
    assert mailoutbox == []


@pytest.mark.parametrize("role", ["", "operator"])
def test_it_requires_a_valid_role(role, add, studio):
    assert add(studio, role=role).status_code == 200
    assert not Invitation.objects.exists()


def test_inviting_twice_explains_what_to_do(add, studio):
    add(studio)

    assert b"Send that invitation again instead" in add(studio).content


@pytest.mark.django_db(transaction=True)
def test_it_reports_a_missing_mail_server(admin, studio, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

    admin.post(reverse(ADD), {"email": EMAIL, "organization": studio.pk, "role": "user"})

    assert b"no mail was sent" in admin.get(reverse(LIST)).content
    assert the_invitation().status == "open"


def test_actions_resend_and_withdraw(
    add, admin, studio, mailoutbox, django_capture_on_commit_callbacks
):
    add(studio)
    ticked = {"_selected_action": the_invitation().pk}
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(reverse(LIST), ticked | {"action": "send_again"})
    assert token_of(mailoutbox[1]) != token_of(mailoutbox[0])

    admin.post(reverse(LIST), ticked | {"action": "withdraw"})
    assert the_invitation().status == "withdrawn"
    answer = admin.post(reverse(LIST), ticked | {"action": "withdraw"}, follow=True)
    assert b"was withdrawn. Invite them again" in answer.content


def test_the_list_has_only_own_invitations_and_no_clients(
    admin, invite, studio, stranger_organization
):
    invite()
    invite("client@elsewhere.example", role="")
    copy = Invitation.objects.into_organization().get()
    Invitation.objects.create(
        organization=stranger_organization,
        email="marker@elsewhere.example",
        role="user",
        token_hash="x",
        expires_at=copy.expires_at,
    )

    page = admin.get(reverse(LIST))

    assert EMAIL.encode() in page.content
    assert b"marker@" not in page.content
    assert b"client@" not in page.content


@pytest.mark.parametrize("status", Invitation.Status.values)
def test_the_list_is_filtered_by_status(status, admin, invite):
    invite()

    page = admin.get(reverse(LIST), {"status": status})

    assert page.context["cl"].result_count == (1 if status == "open" else 0)


def test_no_page_shows_the_token(admin, invite):
    token = invite()
    row = the_invitation()

    page = admin.get(reverse("admin:inviting_invitation_change", args=[row.pk]))

    assert page.status_code == 200
    assert row.token_hash not in page.content.decode()
    assert token not in page.content.decode()


def test_invitations_cannot_be_changed_or_deleted(admin, operator, signed_in, invite):
    invite()
    key = [the_invitation().pk]
    for client in (admin, signed_in(operator)):
        for page in ("change", "delete"):
            address = reverse(f"admin:inviting_invitation_{page}", args=key)
            data = {"role": "super_admin", "post": "yes"}
            assert client.post(address, data).status_code == 403
        ticked = {"_selected_action": key[0], "action": "delete_selected", "post": "yes"}
        client.post(reverse(LIST), ticked)
    assert the_invitation().role == "developer"


def test_it_does_not_touch_other_organizations(admin, invite, stranger_organization):
    invite()
    Invitation.objects.update(organization=stranger_organization)

    ticked = {"_selected_action": the_invitation().pk, "action": "withdraw"}
    admin.post(reverse(LIST), ticked)

    assert the_invitation().status == "open"


def test_deleting_an_organization_deletes_its_invitations(
    operator, signed_in, invite, super_admin, studio
):
    invite()
    super_admin.memberships.all().delete()
    address = reverse("admin:accounts_organization_delete", args=[studio.pk])

    assert signed_in(operator).post(address, {"post": "yes"}).status_code == 302

    assert not Invitation.objects.exists()


@pytest.mark.parametrize("role", ["admin", "developer", "user"])
def test_it_requires_super_admins(role, member, studio, signed_in):
    assert signed_in(member(studio, role)).get(reverse(LIST)).status_code == 403
