"""Applications in Administration, with the rights of developers."""

from __future__ import annotations

import pytest
from django.urls import reverse

from console.accounts.models import Membership
from console.applications.models import Application, Right
from console.audit.models import Event
from console.choices import Role


@pytest.fixture
def page(application) -> str:
    return reverse("admin:applications_application_change", args=[application.pk])


@pytest.fixture
def browser(signed_in, super_admin):
    return signed_in(super_admin)


@pytest.fixture
def send(browser, page, application):
    """Submit the form with these rows, of which ``initial`` existed before."""

    def post(*rows: dict, initial: int = 0):
        data = {
            "name": application.name,
            "rights-TOTAL_FORMS": len(rows),
            "rights-INITIAL_FORMS": initial,
        }
        for number, row in enumerate(rows):
            named = {"application": application.pk} | row
            data |= {f"rights-{number}-{name}": value for name, value in named.items()}
        return browser.post(page, data)

    return post


def recorded() -> list[tuple]:
    rows = Event.objects.filter(object_type="right").order_by("number")
    return [(e.action, e.object_label, e.details["rights"]) for e in rows]


def test_it_works(send, developer, application):
    row = {"user": developer.pk, "may_publish": "on", "may_distribute": "on"}
    assert send(row).status_code == 302

    right = application.rights.get()
    assert (right.user, right.may_publish, right.may_distribute) == (developer, True, True)
    assert recorded() == [("right.given", developer.email, ["publish", "distribute"])]


def test_a_change_records_given_and_removed_rights(send, may_publish, developer):
    assert send({"id": may_publish.pk, "may_distribute": "on"}, initial=1).status_code == 302

    may_publish.refresh_from_db()
    assert (may_publish.may_publish, may_publish.may_distribute) == (False, True)
    assert recorded() == [
        ("right.given", developer.email, ["distribute"]),
        ("right.taken", developer.email, ["publish"]),
    ]


def test_removing_a_row_records_the_removed_rights(send, may_publish, developer):
    row = {"id": may_publish.pk, "may_publish": "on", "may_distribute": "on", "DELETE": "on"}
    assert send(row, initial=1).status_code == 302
    assert not Right.objects.exists()
    assert recorded() == [("right.taken", developer.email, ["publish"])]


def test_saving_without_changes_records_nothing(send, may_publish):
    assert send({"id": may_publish.pk, "may_publish": "on"}, initial=1).status_code == 302
    assert recorded() == []


def test_it_offers_the_developers_of_the_organization(
    browser, page, developer, stranger, super_admin, member, studio
):
    user = member(studio, Role.USER)
    field = browser.get(page).context["inline_admin_formsets"][0].formset.empty_form.fields["user"]
    assert list(field.queryset) == [developer]
    assert user not in field.queryset


@pytest.mark.parametrize("who", ["stranger", "super_admin", "deactivated", "switched off"])
def test_only_developers_can_get_rights(who, send, developer, request):
    if who == "deactivated":
        Membership.objects.filter(user=developer).update(deactivated_at="2026-01-01T00:00Z")
    elif who == "switched off":
        type(developer).objects.filter(pk=developer.pk).update(is_active=False)
    else:
        developer = request.getfixturevalue(who)

    assert send({"user": developer.pk, "may_publish": "on"}).status_code == 200
    assert not Right.objects.exists()


def test_rights_of_former_developers_can_be_removed(send, may_publish, developer):
    Membership.objects.filter(user=developer).update(role=Role.USER)
    assert send({"id": may_publish.pk, "DELETE": "on"}, initial=1).status_code == 302
    assert not Right.objects.exists()


def test_a_right_cannot_be_moved_to_another_person(send, may_publish, member, studio, developer):
    other = member(studio, Role.DEVELOPER, "other@studio.example")
    send({"id": may_publish.pk, "user": other.pk, "may_publish": "on"}, initial=1)
    may_publish.refresh_from_db()
    assert may_publish.user == developer


def test_a_person_has_one_row(send, may_publish, developer):
    again = {"user": developer.pk, "may_distribute": "on"}
    response = send({"id": may_publish.pk, "may_publish": "on"}, again, initial=1)
    assert response.status_code == 200
    assert Right.objects.count() == 1


def test_others_cannot_open_it(signed_in, developer, stranger_organization, member, page):
    other = member(stranger_organization, Role.SUPER_ADMIN)
    assert signed_in(other).get(page).status_code == 302  # as for a row that is not there
    assert signed_in(developer).get(page).status_code == 403


def test_a_new_application_offers_no_rights(browser, studio, developer):
    add = reverse("admin:applications_application_add")
    assert "rights-TOTAL_FORMS" not in browser.get(add).content.decode()
    data = {"organization": studio.pk, "name": "New", "link_name": "new"}
    assert browser.post(add, data).status_code == 302
    assert not Application.objects.get(link_name="new").rights.exists()
