"""The console's own pages for people and their invitations."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from console.accounts.models import Membership, User
from console.applications.models import Application, Right
from console.audit.models import Event
from console.choices import Role
from console.inviting.models import Invitation

PEOPLE = reverse("person_list")
INVITATIONS = reverse("member_invitations")
INVITE = reverse("member_invite")


@pytest.fixture
def browser(signed_in, super_admin):
    return signed_in(super_admin)


@pytest.fixture
def membership(developer) -> Membership:
    return developer.memberships.get()


def words(response) -> str:
    return response.content.decode()


def page_of(membership: Membership, verb: str = "detail") -> str:
    return reverse(f"person_{verb}", args=[membership.pk])


def test_it_lists_people_with_role_factor_and_last_sign_in(browser, super_admin, membership):
    Authenticator.objects.create(user=super_admin, type=Authenticator.Type.TOTP, data={})
    page = words(browser.get(PEOPLE))
    for part in (super_admin.email, membership.user.email, "Developer", "No second factor"):
        assert part in page
    assert "Second factor</span>" in page
    assert "Never signed in" in page


def test_it_can_be_searched_and_filtered(browser, super_admin, membership, member, studio):
    User.objects.filter(pk=membership.user_id).update(first_name="Dora")
    user = member(studio, Role.USER)
    for query, found in (
        ({"q": "dora"}, membership.user),
        ({"role": "user"}, user),
        ({"q": "user@"}, user),
    ):
        page = words(browser.get(PEOPLE, query))
        assert found.email in page
        assert super_admin.email not in page.partition('id="table"')[2]
    assert "Nobody found" in words(browser.get(PEOPLE, {"status": "deactivated"}))
    assert "Nobody found" in words(browser.get(PEOPLE, {"factor": "yes"}))
    assert browser.get(PEOPLE, {"role": "\0", "before": "x", "q": "\0"}).status_code == 200


def test_its_pages_hold_a_number_of_people(browser, member, studio):
    for number in range(35):
        member(studio, Role.USER, f"user-{number:02}@studio.example")
    first = browser.get(PEOPLE, {"role": "user"})
    assert len(first.context["people"]) == 30
    second = browser.get(PEOPLE + first.context["page"].next)
    assert [each.email for each in second.context["people"]] == [
        f"user-{number:02}@studio.example" for number in range(30, 35)
    ]


def test_people_of_other_organizations_are_hidden(browser, stranger):
    assert stranger.email not in words(browser.get(PEOPLE))
    theirs = stranger.memberships.get()
    assert browser.get(page_of(theirs)).status_code == 404
    for verb in ("role", "rights", "deactivate", "reactivate", "remove"):
        assert browser.post(page_of(theirs, verb), {"role": "admin"}).status_code == 404
    assert stranger.memberships.get().role == Role.DEVELOPER


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.ADMIN, Role.USER])
def test_others_have_no_access(signed_in, member, studio, membership, role):
    browser = signed_in(member(studio, role, "other@studio.example"))
    assert browser.get(PEOPLE).status_code == 403
    assert browser.get(INVITATIONS).status_code == 403
    assert browser.get(page_of(membership)).status_code == 404
    assert browser.post(page_of(membership, "role"), {"role": "super_admin"}).status_code == 404


def test_a_role_is_changed_and_recorded(browser, membership):
    response = browser.post(page_of(membership, "role"), {"role": "admin"}, follow=True)
    membership.refresh_from_db()
    assert membership.role == Role.ADMIN
    assert "is now admin of Studio" in words(response)
    assert Event.objects.filter(action="membership.changed").count() == 1


def test_the_last_super_admin_stays(browser, super_admin):
    own = super_admin.memberships.get()
    response = browser.post(page_of(own, "role"), {"role": "user"})
    assert response.status_code == 409
    assert "without a super admin" in words(response)
    for verb in ("deactivate", "remove"):
        assert browser.post(page_of(own, verb)).status_code == 409
    assert super_admin.memberships.get().role == Role.SUPER_ADMIN


def test_a_role_that_does_not_exist_is_refused(browser, membership):
    assert browser.post(page_of(membership, "role"), {"role": "king"}).status_code == 422


def test_super_admins_who_step_down_arrive_at_home(browser, super_admin, member, studio):
    member(studio, Role.SUPER_ADMIN, "second@studio.example")
    own = super_admin.memberships.get()
    response = browser.post(page_of(own, "role"), {"role": "user"})
    assert response["Location"] == reverse("home")


def test_a_person_is_deactivated_reactivated_and_removed(browser, membership, connect, grant):
    grant(connect("twilio", auth_type="basic", name="Messages"))
    page = words(browser.get(page_of(membership, "deactivate")))
    assert "loses access to Studio" in page
    browser.post(page_of(membership, "deactivate"))
    membership.refresh_from_db()
    assert membership.deactivated_at
    assert "Reactivate" in words(browser.get(page_of(membership)))
    browser.post(page_of(membership, "reactivate"))
    membership.refresh_from_db()
    assert membership.deactivated_at is None
    response = browser.post(page_of(membership, "remove"))
    assert response["Location"] == PEOPLE
    assert not Membership.objects.filter(pk=membership.pk).exists()


def test_rights_are_given_and_taken(browser, membership, application, stranger_organization):
    foreign = Application.objects.create(
        organization=stranger_organization, name="Theirs", link_name="theirs"
    )
    browser.post(
        page_of(membership, "rights"),
        {
            "application": [application.pk, foreign.pk, "x"],
            "right": [f"{application.pk}:may_publish", f"{foreign.pk}:may_publish"],
        },
    )
    right = Right.objects.get()
    assert (right.application, right.may_publish, right.may_distribute) == (
        application,
        True,
        False,
    )
    assert "checked" in words(browser.get(page_of(membership)))
    browser.post(page_of(membership, "rights"), {"application": application.pk})
    assert not Right.objects.exists()
    actions = Event.objects.filter(object_type="right").order_by("number")
    assert [event.action for event in actions] == ["right.given", "right.taken"]


def test_a_person_is_invited_again_and_withdrawn(browser, django_capture_on_commit_callbacks):
    entered = {"email": "New@Studio.example", "role": "user"}
    with django_capture_on_commit_callbacks(execute=True):
        response = browser.post(INVITE, entered, follow=True)
    assert "new@studio.example" in words(response)
    invitation = Invitation.objects.get()
    assert (invitation.role, len(mail.outbox)) == (Role.USER, 1)
    again = browser.post(INVITE, {"email": "new@studio.example", "role": "user"})
    assert again.status_code == 422
    assert "already invited" in words(again)
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(reverse("member_invitation_resend", args=[invitation.pk]))
    assert len(mail.outbox) == 2
    browser.post(reverse("member_invitation_withdraw", args=[invitation.pk]))
    page = words(browser.get(INVITATIONS))
    assert "Withdrawn" in page
    assert "Resend" not in page


def test_invitations_of_clients_and_others_are_not_listed(browser, studio, stranger_organization):
    sent = {"expires_at": timezone.now() + timedelta(days=1), "email": "x@client.example"}
    client = Invitation.objects.create(organization=studio, token_hash="1" * 64, **sent)
    theirs = Invitation.objects.create(
        organization=stranger_organization, role=Role.USER, token_hash="2" * 64, **sent
    )
    assert "x@client.example" not in words(browser.get(INVITATIONS))
    for invitation in (client, theirs):
        for verb in ("resend", "withdraw"):
            url = reverse(f"member_invitation_{verb}", args=[invitation.pk])
            assert browser.post(url).status_code == 404


def test_changes_need_the_password_again(browser, membership):
    session = browser.session
    session["account_authentication_methods"] = [{"method": "password", "at": 1}]
    session.save()
    assert browser.get(page_of(membership)).status_code == 200
    for url in (page_of(membership, "role"), page_of(membership, "remove"), INVITE):
        response = browser.post(url, {"role": "admin", "email": "a@b.example"})
        assert "reauthenticate" in response["Location"]
    membership.refresh_from_db()
    assert membership.role == Role.DEVELOPER
