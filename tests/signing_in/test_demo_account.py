"""The accounts of the demo: one press leads from one to another."""

from __future__ import annotations

import pytest
from django.urls import reverse

from console.accounts.models import User


@pytest.fixture
def demo(settings, developer, super_admin):
    """Two accounts of the demo with the same password."""
    settings.DEMO_ACCOUNTS = [developer.email, super_admin.email]
    User.objects.filter(pk=super_admin.pk).update(password=developer.password)


def change(client, account):
    return client.post(reverse("demo_account"), {"email": account.email})


def signed_in_as(client) -> str:
    return client.session.get("_auth_user_id", "")


def test_it_changes_to_the_other_account(developer_client, demo, super_admin):
    page = developer_client.get(reverse("home")).content.decode()
    assert f'value="{super_admin.email}"' in page
    assert change(developer_client, super_admin).status_code == 302
    assert signed_in_as(developer_client) == str(super_admin.pk)


def test_another_password_is_needed(developer_client, demo, developer, super_admin):
    super_admin.set_password("another password of hers")
    super_admin.save()
    assert change(developer_client, super_admin).status_code == 404
    assert signed_in_as(developer_client) == str(developer.pk)


def test_a_second_factor_is_needed(developer_client, demo, developer, super_admin):
    super_admin.authenticator_set.create(type="totp", data={"secret": "x"})
    assert change(developer_client, super_admin).status_code == 404
    assert signed_in_as(developer_client) == str(developer.pk)


def test_an_account_that_is_not_of_the_demo_is_not_offered(
    developer_client, demo, settings, developer, super_admin
):
    settings.DEMO_ACCOUNTS = [developer.email]
    assert change(developer_client, super_admin).status_code == 404


def test_nobody_changes_outside_of_the_demo(developer_client, settings, developer, super_admin):
    assert settings.DEMO_ACCOUNTS == []
    User.objects.filter(pk=super_admin.pk).update(password=developer.password)
    assert change(developer_client, super_admin).status_code == 404


def test_an_account_elsewhere_cannot_change_into_the_demo(
    developer_client, demo, settings, super_admin
):
    settings.DEMO_ACCOUNTS = [super_admin.email]
    assert change(developer_client, super_admin).status_code == 404
