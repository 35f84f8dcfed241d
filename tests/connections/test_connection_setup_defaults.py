"""*Create and Authorize* in the first step: the other steps keep what the page shows."""

from __future__ import annotations

import pytest
from django.urls import reverse

from connections.models import Connection
from tests.connections.flow_steps import words_of
from tests.connections.wizard_answers import name_form, url

SCOPE = "ZohoCRM.modules.leads.READ"
DEFAULTS = {"defaults": "1"}
START = reverse("draft_start", args=["slack"])


def settings_shown(page: str) -> str:
    return page.partition("Press one to change it.")[2][:120]


def test_the_first_step_shows_the_defaults(developer_client, application):
    shown = settings_shown(words_of(developer_client.get(START)))
    for words in ("Administrator", "All Actions", "Same authorization in all environments"):
        assert words in shown


def test_one_press_creates_the_connection(developer_client, application):
    form = {"name": "Chat", "application": application.pk, **DEFAULTS}
    response = developer_client.post(START, form)
    made = Connection.objects.get()
    assert response["Location"] == reverse("connection_authorize", args=[made.pk])
    assert (made.is_draft, made.link_name, made.level) == (False, "chat", "administrator")
    assert (made.all_actions, made.scopes, made.separate_environments) == (True, [], False)


def test_an_unfinished_draft_keeps_its_answers(developer_client, start):
    draft = start("zoho_crm")
    developer_client.post(url(draft, "level"), {"level": "logged_in_user"})
    developer_client.post(url(draft, "permissions"), {"scopes": [SCOPE]})
    shown = settings_shown(words_of(developer_client.get(url(draft, "name"))))
    assert "Logged-in User" in shown
    assert "1 permission" in shown
    developer_client.post(url(draft, "name"), name_form(draft) | DEFAULTS)
    made = Connection.objects.get()
    assert (made.is_draft, made.level) == (False, "logged_in_user")
    assert (made.all_actions, made.scopes) == (False, [SCOPE])


def test_a_service_without_oauth_2_has_no_permissions(developer_client, start):
    draft = start("twilio")
    assert "All Actions" not in words_of(developer_client.get(url(draft, "name")))
    developer_client.post(url(draft, "name"), name_form(draft) | DEFAULTS)
    made = Connection.objects.get()
    assert (made.is_draft, made.all_actions) == (False, False)


@pytest.mark.parametrize("step", ["level", "permissions", "environments"])
def test_a_setting_leads_to_its_step(developer_client, start, step):
    draft = start("slack")
    form = name_form(draft, name="Typed") | {"to": step}
    assert developer_client.post(url(draft, "name"), form)["Location"] == url(draft, step)
    assert Connection.objects.get().name == "Typed"


@pytest.mark.parametrize("to", ["", "elsewhere", "permissions"])
def test_an_unknown_step_leads_to_the_next_one(developer_client, start, to):
    draft = start("twilio")
    response = developer_client.post(url(draft, "name"), name_form(draft) | {"to": to})
    assert response["Location"] == url(draft, "level")


def test_a_taken_name_is_explained_in_the_step(developer_client, start, connect):
    draft = start("slack")
    connect("slack", name="Taken")
    form = name_form(draft, name="Taken") | DEFAULTS
    response = developer_client.post(url(draft, "name"), form)
    assert response.status_code == 422
    assert "already has a connection named Taken" in words_of(response)
    assert Connection.objects.get(pk=draft.pk).is_draft


def test_the_buttons_count_only_in_the_first_step(developer_client, start):
    draft = start("slack")
    response = developer_client.post(url(draft, "level"), {"level": "administrator", **DEFAULTS})
    assert response["Location"] == url(draft, "permissions")


def test_htmx_opens_the_next_page_as_a_page(developer_client, start):
    """It has a Content-Security-Policy of its own."""
    draft = start("slack")
    form = name_form(draft) | DEFAULTS
    for _ in range(2):  # the second time, another tab has created it
        answer = developer_client.post(url(draft, "name"), form, headers={"HX-Request": "true"})
        assert answer["HX-Redirect"] == reverse("connection_authorize", args=[draft.pk])
