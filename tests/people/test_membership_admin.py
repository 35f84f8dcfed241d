"""Super admins manage the people of their own organizations in Administration."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from console.accounts.models import Membership, Organization
from tests.signing_in.conftest import let_time_pass

VERBS = ["deactivate", "reactivate", "delete"]


@pytest.fixture
def admin(signed_in, super_admin):
    return signed_in(super_admin)


@pytest.fixture
def foreign(stranger) -> Membership:
    return stranger.memberships.get()


def at(page: str, membership: Membership | None = None) -> str:
    arguments = [membership.pk] if membership else []
    return reverse(f"admin:accounts_membership_{page}", args=arguments)


def test_it_lists_the_people_of_the_own_organization(admin, membership, foreign):
    page = admin.get(at("changelist"))

    assert b"developer@studio.example" in page.content
    assert b"elsewhere.example" not in page.content
    assert b"Elsewhere" not in page.content


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?role__exact=super_admin", 1),
        ("?status=active", 2),
        ("?status=deactivated", 0),
        ("?q=developer@", 1),
        ("?q=elsewhere", 0),
    ],
)
def test_the_list_is_filtered_and_searched(query, found, admin, membership, foreign):
    page = admin.get(at("changelist") + query)

    assert page.context["cl"].result_count == found


@pytest.mark.parametrize("field", ["user__password__startswith", "user__is_superuser__exact"])
def test_it_rejects_filters_by_hidden_fields(field, admin, membership):
    assert admin.get(f"{at('changelist')}?{field}=1").status_code in (302, 400)


def test_a_role_change_applies_to_the_next_request(admin, membership, developer, signed_in):
    sessions = [signed_in(developer), signed_in(developer)]
    assert {each.get(reverse("connection_list")).status_code for each in sessions} == {200}

    assert admin.post(at("change", membership), {"role": "user"}).status_code == 302

    assert {each.get(reverse("connection_list")).status_code for each in sessions} == {403}


def test_nothing_but_the_role_can_be_changed(admin, membership, stranger, stranger_organization):
    data = {
        "role": "admin",
        "user": stranger.pk,
        "organization": stranger_organization.pk,
        "deactivated_at": "2026-01-01",
    }
    admin.post(at("change", membership), data)

    membership.refresh_from_db()
    assert membership.role == "admin"
    assert (membership.user.email, membership.organization.slug) == (
        "developer@studio.example",
        "studio",
    )
    assert membership.deactivated_at is None


@pytest.mark.parametrize("role", ["operator", ""])
def test_it_rejects_unknown_roles(role, admin, membership):
    assert admin.post(at("change", membership), {"role": role}).status_code == 200
    membership.refresh_from_db()
    assert membership.role == "developer"


def test_nobody_can_add_people_without_an_invitation(admin, operator, signed_in):
    for client in (admin, signed_in(operator)):
        assert client.get(at("add")).status_code == 403


@pytest.mark.parametrize("verb", VERBS)
def test_the_confirmation_lists_what_stops_and_who_can_replace_it(
    verb, admin, authorization, membership
):
    page = admin.get(at(verb, membership))

    text = " ".join(page.content.decode().split())
    assert authorization.connection.get_absolute_url() in text
    for words in (
        authorization.connection.name,
        "Field Service",
        "Development and Stage",
        "alice@example.com",
        "Any super admin or developer of Studio",
    ):
        assert words in text
    assert "an-access-token" not in text
    membership.refresh_from_db()
    assert membership.deactivated_at is None


def test_the_confirmation_says_if_nothing_stops(admin, membership, application):
    assert (
        b"They have authorized nothing that Studio uses"
        in admin.get(at("deactivate", membership)).content
    )


def test_it_deactivates_and_reactivates(admin, membership):
    assert admin.post(at("deactivate", membership))["Location"] == at("changelist")
    membership.refresh_from_db()
    assert membership.deactivated_at
    page = admin.get(at("change", membership))
    assert at("reactivate", membership).encode() in page.content
    assert at("deactivate", membership).encode() not in page.content

    admin.post(at("reactivate", membership))
    membership.refresh_from_db()
    assert membership.deactivated_at is None


def test_it_removes(admin, membership):
    answer = admin.post(at("delete", membership), follow=True)

    assert b"Removed developer@studio.example from Studio" in answer.content
    assert not Membership.objects.filter(pk=membership.pk).exists()


def test_it_explains_why_the_last_super_admin_stays(admin, super_admin):
    own = super_admin.memberships.get()

    for verb in ("deactivate", "delete"):
        answer = admin.post(at(verb, own))
        assert answer.status_code == 409
        assert b"Studio would be left without a super admin" in answer.content
    answer = admin.post(at("change", own), {"role": "user"}, follow=True)
    assert b"Studio would be left without a super admin" in answer.content
    own.refresh_from_db()
    assert own.role == "super_admin"


def test_one_of_two_super_admins_may_remove_themselves(admin, super_admin, member, studio):
    member(studio, "super_admin", "second@studio.example")

    assert admin.post(at("deactivate", super_admin.memberships.get()))["Location"] == "/"


@pytest.mark.parametrize("page", ["change", *VERBS])
@pytest.mark.parametrize("method", ["get", "post"])
def test_people_of_other_organizations_are_not_found(page, method, admin, foreign):
    answer = getattr(admin, method)(at(page, foreign), {"role": "user"})

    absent = foreign.pk + 1000
    other = getattr(admin, method)(
        reverse(f"admin:accounts_membership_{page}", args=[absent]), {"role": "user"}
    )
    assert answer.status_code == other.status_code
    assert answer.status_code in (302, 404)
    foreign.refresh_from_db()
    assert (foreign.role, foreign.deactivated_at) == ("developer", None)


@pytest.mark.parametrize("role", ["admin", "developer", "user"])
def test_it_requires_super_admins(role, member, studio, membership, signed_in):
    client = signed_in(member(studio, role, "other@studio.example"))

    for page in VERBS:
        assert client.post(at(page, membership)).status_code == 403
    assert Membership.objects.filter(pk=membership.pk, deactivated_at=None).exists()


def test_operators_manage_everyone(operator, signed_in, membership, foreign):
    client = signed_in(operator)

    assert client.get(at("changelist")).context["cl"].result_count == 2
    client.post(at("deactivate", foreign))
    foreign.refresh_from_db()
    assert foreign.deactivated_at


@pytest.mark.parametrize("page", ["change", *VERBS])
def test_it_requires_reauthentication(page, admin, membership):
    let_time_pass(admin, 601)

    for answer in (admin.get(at(page, membership)), admin.post(at(page, membership))):
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_reauthenticate"))
    membership.refresh_from_db()
    assert membership.deactivated_at is None


@pytest.mark.parametrize("verb", VERBS)
def test_it_needs_a_csrf_token(verb, admin, membership):
    admin.handler.enforce_csrf_checks = True

    assert admin.post(at(verb, membership)).status_code == 403


def test_super_admins_may_only_rename_their_organization(admin, studio, stranger_organization):
    change = reverse("admin:accounts_organization_change", args=[studio.pk])

    assert admin.post(change, {"name": "Atelier", "slug": "atelier"}).status_code == 302
    studio.refresh_from_db()
    assert (studio.name, studio.slug) == ("Atelier", "studio")
    assert admin.get(reverse("admin:accounts_organization_add")).status_code == 403
    delete = reverse("admin:accounts_organization_delete", args=[studio.pk])
    assert admin.post(delete, {"post": "yes"}).status_code == 403
    other = reverse("admin:accounts_organization_change", args=[stranger_organization.pk])
    assert admin.post(other, {"name": "Mine"}).status_code == 302
    assert Organization.objects.get(pk=stranger_organization.pk).name == "Elsewhere"


def test_a_disabled_account_with_a_deactivated_membership_is_shown(admin, membership):
    membership.deactivated_at = timezone.now()
    membership.save()

    assert b"Deactivated" in admin.get(at("changelist") + "?status=deactivated").content
