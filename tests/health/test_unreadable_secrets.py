"""Damaged secrets are listed on the Health page and break nothing else."""

from __future__ import annotations

import jwt
import pytest
from django.core.management import call_command
from django.urls import reverse

from connections.models import Authorization, Credential, OAuthClient
from console.encryption.models import ScanProgress
from console.health import unreadable_secrets
from console.keys.models import TokenKey
from console.keys.user_tokens import token_for
from console.webhooks.models import Webhook
from tests.connections.damage import damage
from tests.connections.flow_steps import words_of

URL = reverse("health_list")


@pytest.fixture
def credential(connect, grant) -> Credential:
    """A damaged credential, next to an intact one."""
    grant(connect("twilio", name="Whole"), secret={"auth_token": "one"})
    credential = grant(connect("twilio", name="Damaged"), secret={"auth_token": "two"}).credential
    damage(credential, "secret")
    return credential


def page_of(client) -> str:
    return words_of(client.get(URL))


def test_a_credential_is_listed_with_its_connection_and_remedy(developer_client, credential):
    unreadable_secrets.check_next_rows()
    page = developer_client.get(URL)
    assert [(problem.name, problem.kind) for problem in page.context["rows"]] == [
        ("Damaged", "unreadable")
    ]
    assert "Reauthorize it, or ask an operator" in words_of(page)
    place = reverse(
        "connection_authorize", args=[page.context["rows"][0].authorization.connection_id]
    )
    assert place in page.content.decode()


def test_it_can_be_filtered(developer_client, credential):
    unreadable_secrets.check_next_rows()
    rows = developer_client.get(f"{URL}?why=unreadable").context["rows"]
    assert [need.name for need in rows] == ["Damaged"]


def test_other_organizations_do_not_see_it(signed_in, stranger, credential):
    unreadable_secrets.check_next_rows()
    assert "Damaged" not in page_of(signed_in(stranger))


def test_a_super_admin_sees_a_client_and_a_webhook(signed_in, super_admin, application, studio):
    OAuthClient.objects.create(
        connector_slug="slack", client_id="c", client_secret="s", organization=studio
    )
    Webhook.objects.create(
        organization=studio, application=application, url="https://hooks.example/a", secret="s"
    )
    damage(OAuthClient.objects.get(), "client_secret")
    damage(Webhook.objects.get(), "secret")
    unreadable_secrets.check_next_rows()
    page = page_of(signed_in(super_admin))
    assert "client_secret of OAuth client “Main for Slack (studio--slack)” of Studio" in page
    assert "enter the client_secret again" in page
    assert "webhook “hooks.example” of Studio" in page


def test_developers_do_not_see_what_only_super_admins_can_fix(developer_client, studio):
    OAuthClient.objects.create(
        connector_slug="slack", client_id="c", client_secret="s", organization=studio
    )
    damage(OAuthClient.objects.get(), "client_secret")
    unreadable_secrets.check_next_rows()
    assert "client_secret" not in page_of(developer_client)


def test_it_is_removed_when_the_secret_can_be_decrypted_again(developer_client, credential):
    unreadable_secrets.check_next_rows()
    credential.secret = {"auth_token": "new"}
    credential.save()
    assert unreadable_secrets.check_next_rows() == 0
    assert developer_client.get(URL).context["rows"] == []


def test_it_is_removed_with_its_row(credential):
    unreadable_secrets.check_next_rows()
    Authorization.objects.all().delete()
    credential.delete()
    assert unreadable_secrets.check_next_rows() == 0


def test_each_round_continues_where_the_last_one_ended(credential, monkeypatch):
    monkeypatch.setattr(unreadable_secrets, "ROWS_A_ROUND", 1)
    monkeypatch.setattr(unreadable_secrets, "PAGE", 1)
    found = [unreadable_secrets.check_next_rows() for _ in range(3)]
    assert max(found) == 1
    assert ScanProgress.objects.count() <= 1


def test_the_command_prints_the_number(credential, capsys):
    call_command("check_health")
    assert "unreadable secrets: 1" in capsys.readouterr().out


def test_other_credentials_are_still_renewed_and_tested(credential, capsys, network):
    call_command("refresh_due")
    call_command("check_health")
    assert "failed" not in capsys.readouterr().out
    assert not Credential.objects.filter(renew_at=None).exists()


def test_pages_about_the_connection_still_work(developer_client, credential):
    authorization = credential.authorizations.get()
    assert developer_client.get(authorization.connection.get_absolute_url()).status_code == 200
    tested = developer_client.post(
        reverse("authorization_test", args=[authorization.pk]), follow=True
    )
    assert tested.status_code == 200
    assert "cannot be decrypted with any key" in words_of(tested)


def test_a_damaged_token_key_is_replaced(developer, application, studio):
    token_for(developer, application, studio, "development")
    old = TokenKey.objects.get()
    damage(old, "private")
    token = token_for(developer, application, studio, "development")
    assert jwt.get_unverified_header(token)["kid"] == str(TokenKey.objects.get(signs=True).pk)
    assert TokenKey.objects.count() == 2
