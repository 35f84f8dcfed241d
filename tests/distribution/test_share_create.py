"""Share an application with a client."""

from __future__ import annotations

import pytest
from django.urls import reverse

from console.applications.models import Application
from console.distribution.models import Share
from console.publishing.models import Release
from tests.distribution.page_text import text


def test_it_shares_the_application_once(
    signed_in, super_admin, application, client_organization, first, boss
):
    browser, place = signed_in(super_admin), reverse("share_create", args=[application.pk])
    assert "Release 1 (in Stage)" in text(browser.get(place))
    data = {"client": client_organization.pk, "release": first.pk, "license": "trial_15"}
    wrong = browser.post(place, data | {"ends_on": "2099-01-01"})
    assert wrong.status_code == 422
    assert "A trial ends automatically" in text(wrong)
    assert browser.post(place, data).status_code == 303
    twice = browser.post(place, data)
    assert twice.status_code == 409
    assert "already" in text(twice)


@pytest.mark.parametrize("name", ["created_by", "ends_at", "installation", "withdrawn_at"])
def test_it_ignores_other_fields(
    name, signed_in, super_admin, application, client_organization, first
):
    data = {"client": client_organization.pk, "release": first.pk, "license": "subscription"}
    place = reverse("share_create", args=[application.pk])
    signed_in(super_admin).post(place, data | {name: "2020-01-01"})
    row = Share.objects.get()
    assert (row.created_by, row.ends_at, row.installation, row.withdrawn_at) == (
        super_admin,
        None,
        None,
        None,
    )


def test_it_refuses_a_release_of_another_application(
    signed_in, super_admin, application, client_organization, first, studio
):
    other = Application.objects.create(organization=studio, name="Other", link_name="other")
    foreign = Release.objects.create(
        application=other, number=1, content=first.content, created_by=super_admin
    )
    data = {"client": client_organization.pk, "release": foreign.pk, "license": "subscription"}
    answer = signed_in(super_admin).post(reverse("share_create", args=[application.pk]), data)
    assert answer.status_code == 422
    assert not Share.objects.exists()
