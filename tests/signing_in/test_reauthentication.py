"""Reauthentication before sensitive changes, which keeps the submitted form."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse

from connections.models import OAuthClient
from console.signing_in.session_store import row_key
from tests.signing_in.conftest import PASSWORD, code_of, let_time_pass

LIST = reverse("admin:connections_oauthclient_changelist")
ADD = reverse("admin:connections_oauthclient_add")
AGAIN = reverse("account_reauthenticate")
SECRET = "canary-secret"


@pytest.fixture
def slack(studio) -> OAuthClient:
    return OAuthClient.objects.create(
        connector_slug="slack", organization=studio, client_id="kept", client_secret="before"
    )


@pytest.fixture
def late(super_admin, sign_in):
    """Return the browser of a super admin who signed in eleven minutes ago."""
    client, _ = sign_in(super_admin)
    let_time_pass(client, 660)
    return client


def change(client: OAuthClient) -> str:
    return reverse("admin:connections_oauthclient_change", args=[client.pk])


def typed(**changed) -> dict[str, str]:
    return {"client_id": "1.2", "new_client_secret": SECRET} | changed


def test_it_is_not_required_right_after_sign_in(super_admin, sign_in, slack):
    client, _ = sign_in(super_admin)
    let_time_pass(client, 590)
    assert client.get(change(slack)).status_code == 200
    assert client.post(change(slack), typed())["Location"] == LIST
    slack.refresh_from_db()
    assert slack.client_secret.reveal() == SECRET


@pytest.mark.parametrize("place", ["add", "change", "delete"])
def test_it_is_required_before_the_form_is_shown(late, slack, place):
    path = {
        "add": ADD,
        "change": change(slack),
        "delete": reverse("admin:connections_oauthclient_delete", args=[slack.pk]),
    }[place]
    response = late.get(path)
    assert response["Location"].startswith(AGAIN)
    response = late.post(response["Location"], {"password": PASSWORD})
    assert response["Location"] == path
    assert late.get(path).status_code == 200


def test_the_form_is_saved_after_reauthentication(late, slack):
    response = late.post(change(slack), typed(), follow=True)
    assert "what you entered is kept" in response.content.decode()
    slack.refresh_from_db()
    assert slack.client_secret.reveal() == "before"

    response = late.post(AGAIN, {"password": PASSWORD})
    assert response["Location"] == LIST
    slack.refresh_from_db()
    assert (slack.client_id, slack.client_secret.reveal()) == ("1.2", SECRET)
    assert "was changed successfully" in late.get(LIST).content.decode()


def test_a_new_client_is_saved_after_reauthentication(late, studio):
    form = {"connector_slug": "slack", "organization": studio.pk, "environment": "", "host": ""}
    late.post(ADD, typed(**form))
    assert not OAuthClient.objects.exists()
    late.post(AGAIN, {"password": PASSWORD})
    assert OAuthClient.objects.get().client_secret.reveal() == SECRET


def test_form_errors_are_shown_after_reauthentication(late, slack):
    late.post(change(slack), typed(client_id=""))
    page = late.post(AGAIN, {"password": PASSWORD}).content.decode()
    assert "This field is required" in page
    assert f'action="{change(slack)}"' in page or "oauthclient_form" in page


def test_the_form_is_saved_in_the_organization_of_the_url(late, slack):
    place = f"/o/studio{change(slack)}"
    response = late.post(place, typed(client_id=""), follow=True)
    assert response.request["PATH_INFO"] == AGAIN
    page = late.post(AGAIN, {"password": PASSWORD}).content.decode()
    assert f'href="/o/studio{LIST}"' in page
    let_time_pass(late, 660)
    late.post(place, typed())
    assert late.post(AGAIN, {"password": PASSWORD})["Location"] == f"/o/studio{LIST}"
    slack.refresh_from_db()
    assert slack.client_secret.reveal() == SECRET


def test_a_wrong_password_neither_saves_nor_loses_the_form(late, slack):
    late.post(change(slack), typed())
    response = late.post(AGAIN, {"password": "wrong"})
    assert "Wrong password" in response.content.decode()
    slack.refresh_from_db()
    assert slack.client_secret.reveal() == "before"
    late.post(AGAIN, {"password": PASSWORD})
    slack.refresh_from_db()
    assert slack.client_secret.reveal() == SECRET


def test_a_code_works_instead_of_the_password(late, slack, super_admin, app_secret):
    secret = app_secret(super_admin)
    page = late.post(change(slack), typed(), follow=True).content.decode()
    assert reverse("mfa_reauthenticate") in page
    late.post(reverse("mfa_reauthenticate"), {"code": code_of(secret)})
    slack.refresh_from_db()
    assert slack.client_secret.reveal() == SECRET


def test_the_session_does_not_contain_the_form_in_plain_text(late, slack):
    late.post(change(slack), typed())
    stored = Session.objects.get(session_key=row_key(late.session.session_key)).get_decoded()
    assert "account_reauthentication_state" in stored
    assert SECRET not in str(stored)


def test_the_form_is_processed_once(late, slack):
    late.post(change(slack), typed())
    late.post(AGAIN, {"password": PASSWORD})
    OAuthClient.objects.update(client_id="changed since")
    late.post(AGAIN, {"password": PASSWORD})
    slack.refresh_from_db()
    assert slack.client_id == "changed since"


def test_a_form_of_another_person_is_not_processed(late, slack, operator, sign_in):
    late.post(change(slack), typed())
    state = late.session["account_reauthentication_state"]
    other, _ = sign_in(operator)
    session = other.session
    session["account_reauthentication_state"] = state
    session.save()
    response = other.post(AGAIN, {"password": PASSWORD})
    assert response["Location"] == change(slack)
    slack.refresh_from_db()
    assert slack.client_secret.reveal() == "before"


def test_permission_is_checked_again_after_reauthentication(late, slack, super_admin):
    late.post(change(slack), typed())
    super_admin.memberships.update(role="developer")
    assert late.post(AGAIN, {"password": PASSWORD}).status_code == 403
    slack.refresh_from_db()
    assert slack.client_secret.reveal() == "before"


def test_it_is_required_to_delete_selected_rows(late, slack):
    form = {"action": "delete_selected", "_selected_action": [slack.pk], "post": "yes"}
    assert late.get(LIST).status_code == 200
    assert late.post(LIST, form)["Location"] == AGAIN
    assert OAuthClient.objects.exists()
    late.post(AGAIN, {"password": PASSWORD})
    assert not OAuthClient.objects.exists()


@pytest.mark.parametrize("name", ["change", "password_change"])
def test_it_is_required_to_change_another_persons_account(name, operator, developer, sign_in):
    client, _ = sign_in(operator)
    place = reverse(
        "admin:auth_user_password_change"
        if name == "password_change"
        else f"admin:accounts_user_{name}",
        args=[developer.pk],
    )
    assert client.get(place).status_code == 200
    let_time_pass(client, 660)
    assert client.get(place)["Location"].startswith(AGAIN)


def test_it_is_required_to_add_an_address(late):
    form = {"email": "thief@evil.example", "action_add": ""}
    response = late.post(reverse("account_email"), form)
    assert response["Location"].startswith(AGAIN)
