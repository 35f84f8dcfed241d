from __future__ import annotations

import re

import pytest
from django.urls import reverse

from connections.models import Connection
from console.applications.models import Application
from console.choices import Role
from tests.connections.flow_steps import words_of
from tests.connections.wizard_answers import name_form, url

ADDRESS = reverse("draft_start", args=["zoho_crm"])


def test_it_works(developer_client, application, developer):
    response = developer_client.post(ADDRESS)

    draft = Connection.objects.get()
    assert response.status_code == 303
    assert response["Location"] == reverse("connection_setup", args=[draft.pk, "name"])
    assert (draft.application, draft.created_by) == (application, developer)
    assert draft.name == "Zoho CRM Connection"
    assert draft.link_name == ""


def test_a_second_tab_goes_on_with_the_same_draft(developer_client):
    answers = {developer_client.post(ADDRESS)["Location"] for _ in range(3)}
    assert len(answers) == 1
    assert Connection.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_tabs_at_once_get_the_same_draft(signed_in, developer, application, at_once):
    clients = iter([signed_in(developer) for _ in range(10)])
    answers = at_once(10, lambda: next(clients).post(ADDRESS)["Location"])
    assert len(set(answers)) == 1
    assert Connection.objects.count() == 1


def test_each_person_has_a_draft_of_his_own(developer_client, member, studio, signed_in):
    colleague = signed_in(member(studio, Role.DEVELOPER, "colleague@studio.example"))
    assert developer_client.post(ADDRESS)["Location"] != colleague.post(ADDRESS)["Location"]


def test_it_begins_in_the_application_that_was_named(developer_client, studio):
    other = Application.objects.create(organization=studio, name="Zeppelin", link_name="zeppelin")
    developer_client.post(ADDRESS, {"application": "zeppelin"})
    assert Connection.objects.get().application == other


def test_it_never_begins_in_an_application_of_strangers(
    developer_client, stranger_organization, application
):
    Application.objects.create(
        organization=stranger_organization, name="Theirs", link_name="theirs"
    )
    developer_client.post(ADDRESS, {"application": "theirs"})
    assert Connection.objects.get().application == application


def test_it_says_that_there_is_no_application(signed_in, developer):
    response = signed_in(developer).post(ADDRESS, follow=True)
    assert "There is no application yet" in response.content.decode()
    assert not Connection.objects.exists()


def test_it_does_not_know_every_connector(developer_client):
    assert developer_client.post(reverse("draft_start", args=["myspace"])).status_code == 404


@pytest.mark.parametrize("slug", ["zoho_crm", "slack", "jupyterhub", "twilio"])
def test_names_are_numbered_from_the_second_one_on(developer_client, connect, slug):
    service = {"zoho_crm": "Zoho CRM", "jupyterhub": "JupyterHub"}.get(slug, slug.title())
    names = []
    for number in range(3):
        developer_client.post(reverse("draft_start", args=[slug]))
        draft = Connection.objects.drafts().get()
        names.append(draft.name)
        draft.status, draft.link_name = Connection.Status.CREATED, f"link_{number}"
        draft.save()
    assert names == [
        f"{service} Connection",
        f"{service} Connection 2",
        f"{service} Connection 3",
    ]


def test_a_name_that_became_free_is_offered_again(developer_client, connect):
    connect("zoho_crm", name="Zoho CRM Connection")
    connect("zoho_crm", name="zoho crm connection 3")
    developer_client.post(ADDRESS)
    assert Connection.objects.drafts().get().name == "Zoho CRM Connection 2"


def test_looking_at_a_card_makes_no_draft(developer_client, application):
    response = developer_client.get(ADDRESS)
    page = response.content.decode()
    assert response.status_code == 200
    assert 'value="Zoho CRM Connection"' in page
    assert "Discard this draft" not in page
    assert not Connection.objects.exists()


def test_the_first_answer_makes_the_draft(developer_client, application):
    form = {"name": "Leads", "application": application.pk, "parameter_data_center": "zoho.eu"}
    response = developer_client.post(ADDRESS, form)
    draft = Connection.objects.get()
    assert response["Location"] == url(draft, "level")
    assert (draft.name, draft.parameters["data_center"]) == ("Leads", "zoho.eu")
    assert (draft.is_draft, draft.answered) == (True, ["name"])


def test_a_refused_answer_makes_no_draft(developer_client, application):
    response = developer_client.post(ADDRESS, {"name": "", "application": application.pk})
    assert response.status_code == 422
    assert not Connection.objects.exists()


def test_the_first_answer_can_name_another_application(developer_client, studio, application):
    other = Application.objects.create(organization=studio, name="Zeppelin", link_name="zeppelin")
    form = {"name": "Leads", "application": other.pk, "parameter_data_center": "zoho.eu"}
    developer_client.post(ADDRESS, form)
    assert Connection.objects.get().application == other


def test_a_card_with_a_draft_continues_it(developer_client):
    first = developer_client.post(ADDRESS)["Location"]
    response = developer_client.get(ADDRESS)
    assert (response.status_code, response["Location"]) == (303, first)


def test_a_draft_of_another_tab_is_not_overwritten(developer_client, application):
    seen = re.search(r'name="seen" value="(\w+)"', developer_client.get(ADDRESS).content.decode())
    developer_client.post(ADDRESS)
    draft = Connection.objects.get()
    developer_client.post(url(draft, "name"), name_form(draft, name="Other tab"))
    form = name_form(draft, name="This tab") | {"seen": seen[1]}
    response = developer_client.post(ADDRESS, form)
    assert response.status_code == 409
    assert "Saved now: Other tab" in words_of(response)
    assert Connection.objects.get().name == "Other tab"
