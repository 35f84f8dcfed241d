"""No change removes the last super admin of an organization."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from console.accounts.last_super_admin import LastSuperAdmin
from console.accounts.models import Membership, User
from console.people import memberships
from tests.audit.world import membership_forms

VERBS = {
    "demote": lambda membership, by: memberships.change_role(membership, "developer", by),
    "deactivate": memberships.deactivate,
    "remove": memberships.remove,
}
EVERY = pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)


@EVERY
def test_it_keeps_the_last_super_admin(verb, super_admin, developer, operator):
    for by in (super_admin, operator):
        with pytest.raises(LastSuperAdmin, match=r"without a super admin\. Make someone else"):
            verb(super_admin.memberships.get(), by)

    row = super_admin.memberships.get()
    assert (row.role, row.deactivated_at) == ("super_admin", None)


@EVERY
def test_one_of_two_super_admins_may_go(verb, super_admin, member, studio):
    member(studio, "super_admin", "second@studio.example")

    verb(super_admin.memberships.get(), super_admin)

    assert not super_admin.memberships.active().filter(role="super_admin").exists()


@pytest.mark.parametrize("change", ["deactivated", "switched off"])
@EVERY
def test_super_admins_who_cannot_sign_in_do_not_count(verb, change, super_admin, member, studio):
    second = member(studio, "super_admin", "second@studio.example")
    if change == "switched off":
        User.objects.filter(pk=second.pk).update(is_active=False)
    else:
        second.memberships.update(deactivated_at=timezone.now())

    with pytest.raises(LastSuperAdmin):
        verb(super_admin.memberships.get(), super_admin)


def _page(user, **row):
    membership = user.memberships.get()
    form = {
        "id": membership.pk,
        "user": user.pk,
        "organization": membership.organization_id,
        "role": membership.role,
    } | row
    return {"email": user.email} | membership_forms(form, initial=1)


@pytest.mark.parametrize("how", ["switched off", "demoted", "taken out", "moved"])
def test_operators_cannot_remove_the_last_super_admin(
    how, super_admin, stranger_organization, operator, signed_in
):
    data = {
        "switched off": lambda: _page(super_admin),
        "demoted": lambda: _page(super_admin, role="admin") | {"is_active": "on"},
        "taken out": lambda: _page(super_admin, DELETE="on") | {"is_active": "on"},
        "moved": lambda: (
            _page(super_admin, organization=stranger_organization.pk) | {"is_active": "on"}
        ),
    }[how]()
    client = signed_in(operator)

    answer = client.post(
        reverse("admin:accounts_user_change", args=[super_admin.pk]), data, follow=True
    )

    assert b"Studio would be left without a super admin" in answer.content
    super_admin.refresh_from_db()
    row = super_admin.memberships.get()
    assert (super_admin.is_active, row.role, row.organization.slug) == (
        True,
        "super_admin",
        "studio",
    )


@pytest.mark.parametrize("page", ["delete", "list", "whole list"])
def test_operators_cannot_delete_the_last_super_admin(page, super_admin, operator, signed_in):
    client = signed_in(operator)
    if page == "delete":
        address = reverse("admin:accounts_user_delete", args=[super_admin.pk])
        data = {"post": "yes"}
    else:
        address = reverse("admin:accounts_user_changelist")
        data = {"action": "delete_selected", "_selected_action": super_admin.pk, "post": "yes"}
    if page == "whole list":
        data |= {"select_across": "1", "_selected_action": operator.pk}

    answer = client.post(address, data, follow=True)

    assert b"Studio would be left without a super admin" in answer.content
    assert User.objects.filter(pk=super_admin.pk).exists()
    assert User.objects.filter(pk=operator.pk).exists()


def test_an_organization_without_super_admins_may_lose_people(developer, operator):
    memberships.remove(developer.memberships.get(), operator)

    assert not developer.memberships.exists()


@pytest.mark.django_db(transaction=True)
@EVERY
def test_two_super_admins_who_remove_each_other_leave_one(
    verb, super_admin, member, studio, at_once
):
    second = member(studio, "super_admin", "second@studio.example")
    pairs = [(super_admin, second), (second, super_admin)] * 2

    def one():
        by, other = pairs.pop()
        try:
            verb(other.memberships.get(), by)
        except Exception as error:  # refused in one way or another
            return type(error).__name__
        return "done"

    outcomes = at_once(2, one)

    assert outcomes.count("done") == 1
    left = Membership.objects.active().filter(organization=studio, role="super_admin")
    assert left.count() == 1
