from __future__ import annotations

import pytest
from django.urls import reverse

from connections.models import Authorization, Credential
from tests.connections.flow_steps import words_of


@pytest.fixture
def authorization(connect, grant) -> Authorization:
    return grant(connect())


def name(client, authorization: Authorization, label: str):
    address = reverse("authorization_label", args=[authorization.pk])
    return client.post(address, {"label": label}, follow=True)


def test_it_works(developer_client, authorization):
    before = Credential.objects.defer("label").values("version", "account_id", "secret").get()
    assert "The account is now named Sales team." in words_of(
        name(developer_client, authorization, "Sales team")
    )
    assert Credential.objects.get().label == "Sales team"
    assert Credential.objects.values("version", "account_id", "secret").get() == before


@pytest.mark.parametrize("label", ["", "   ", "x" * 101, "nul\0"])
def test_it_refuses_a_bad_name(developer_client, authorization, label):
    assert name(developer_client, authorization, label).status_code == 200
    assert Credential.objects.get().label == "alice@example.com"


def test_markup_stays_text(developer_client, authorization):
    page = name(developer_client, authorization, '"><svg onload=alert(1)>').content.decode()
    assert "<svg onload" not in page


def test_there_must_be_an_account(developer_client, authorization):
    Authorization.objects.update(credential=None)
    assert name(developer_client, authorization, "Sales").status_code == 404
