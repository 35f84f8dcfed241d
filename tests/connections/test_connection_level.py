from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.models import Authorization, Connection, Flow, OAuthClient
from connections.setup.level import LevelAndEnvironmentsForm, LevelInUse, change_level
from tests.connections.flow_steps import words_of

CHANGED = {"level": "logged_in_user", "separate_environments": "on"}


def settings_of(connection):
    row = Connection.objects.get(pk=connection.pk)
    return row.level, row.separate_environments


def test_it_changes_until_somebody_has_authorized_it(developer_client, connect, grant):
    connection = connect()
    page = reverse("connection_level", args=[connection.pk])
    assert "Change level and environments" in words_of(
        developer_client.get(connection.get_absolute_url())
    )
    assert developer_client.post(page, CHANGED).status_code == 303
    assert settings_of(connection) == ("logged_in_user", True)

    grant(connection, "development", user=connection.created_by)
    response = developer_client.post(page, {"level": "administrator"})
    assert response.status_code == 409
    assert "because 1 authorization depends on them" in words_of(response)
    details = words_of(developer_client.get(connection.get_absolute_url()))
    assert "Level and environments cannot be changed, because 1 authorization" in details
    assert settings_of(connection) == ("logged_in_user", True)


def test_an_authorization_in_between_wins(connect, grant, developer):
    connection = connect()
    form = LevelAndEnvironmentsForm(CHANGED, instance=connection)
    assert form.is_valid()
    grant(connection)
    with pytest.raises(LevelInUse):
        change_level(form, developer)
    assert settings_of(connection) == ("administrator", False)


def test_what_is_in_progress_is_stopped(developer_client, connect, developer):
    connection = connect()
    client = OAuthClient.objects.create(connector_slug="sandbox", client_id="c", client_secret="s")
    flow = Flow.objects.create(
        state_hash="0" * 64,
        browser_hash="1" * 64,
        user=developer,
        connection=connection,
        organization=connection.application.organization,
        environments=["all"],
        client=client,
        redirect_uri=client.redirect_uri,
        expires_at=timezone.now(),
    )
    Authorization.objects.create(
        connection=connection,
        organization=connection.application.organization,
        environment="all",
        state="revoked",
    )
    developer_client.post(reverse("connection_level", args=[connection.pk]), CHANGED)
    flow.refresh_from_db()
    assert flow.outcome == "failed"
    assert not connection.authorizations.exists()


@pytest.mark.parametrize("level", ["", "nobody"])
def test_it_refuses_a_bad_level(developer_client, connect, level):
    connection = connect()
    page = reverse("connection_level", args=[connection.pk])
    assert developer_client.post(page, {"level": level}).status_code == 422
    assert settings_of(connection) == ("administrator", False)


def test_a_level_that_the_service_does_not_have_is_refused(developer_client, connect):
    connection = connect("twilio")
    page = reverse("connection_level", args=[connection.pk])
    response = developer_client.post(page, CHANGED)
    assert response.status_code == 422
