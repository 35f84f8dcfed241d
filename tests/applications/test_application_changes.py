"""Create an application, change its name and launch URL, delete it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from connections.models import Connection, Credential
from console.applications.models import Application
from console.audit.models import Event
from console.publishing.manifest import Manifest
from console.publishing.models import Release

CREATE = reverse("application_create")


@pytest.fixture
def browser(signed_in, super_admin):
    return signed_in(super_admin)


def settings_of(application: Application) -> str:
    return reverse("application_settings", args=[application.pk])


def delete_of(application: Application) -> str:
    return reverse("application_delete", args=[application.pk])


def test_it_is_created_with_a_derived_link_name(browser, studio, application):
    response = browser.post(CREATE, {"name": "Field Service", "link_name": "", "launch_url": ""})
    created = Application.objects.get(link_name="field_service_2")
    assert response["Location"] == created.get_absolute_url()
    assert created.organization == studio
    assert Event.objects.filter(action="application.created").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("link_name", "field_service"),
        ("link_name", "Not a name"),
        ("launch_url", "javascript:alert(1)"),
    ],
)
def test_wrong_values_are_explained(browser, application, field, value):
    data = {"name": "Other", "link_name": "other", "launch_url": "", field: value}
    response = browser.post(CREATE, data)
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert Application.objects.count() == 1


def test_it_is_renamed_and_keeps_its_link_name(browser, application):
    data = {"name": "Service", "link_name": "other", "launch_url": "https://app.example.com/"}
    browser.post(settings_of(application), data)
    application.refresh_from_db()
    assert (application.name, application.link_name) == ("Service", "field_service")
    assert application.launch_url == "https://app.example.com/"


def test_two_people_do_not_overwrite_each_other(browser, application):
    seen = browser.get(settings_of(application)).context["seen"]
    Application.objects.update(name="By somebody else")
    response = browser.post(settings_of(application), {"name": "Mine", "seen": seen})
    assert response.status_code == 409
    assert Application.objects.get().name == "By somebody else"


def test_it_is_deleted_with_everything_in_it(browser, application, connect, grant):
    grant(connect("twilio", auth_type="basic", name="Messages"))
    assert "1 connection" in browser.get(delete_of(application)).content.decode()
    assert browser.post(delete_of(application)).status_code == 303
    assert not Application.objects.exists()
    assert not Connection.objects.exists()
    assert not Credential.objects.exists()
    assert Event.objects.filter(action="application.deleted").count() == 1


def test_a_published_application_is_kept(browser, application, super_admin):
    Release.objects.create(
        application=application, number=1, content=Manifest().text, created_by=super_admin
    )
    response = browser.post(delete_of(application))
    assert response.status_code == 409
    assert "was published" in response.content.decode()
    assert Application.objects.exists()


def test_developers_cannot_change_it(developer_client, application):
    assert developer_client.get(CREATE).status_code == 403
    for url in (settings_of(application), delete_of(application)):
        assert developer_client.post(url, {"name": "Other"}).status_code == 404
    assert Application.objects.get().name == "Field Service"
