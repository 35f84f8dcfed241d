"""People, an application, and signed-in clients for the tests."""

from __future__ import annotations

import pytest
from django.test import Client

from console.accounts.models import Membership, Organization, User
from console.accounts.policy import Role
from console.applications.models import Application


@pytest.fixture(autouse=True)
def plain_settings(settings) -> None:
    """Keep out of the way what only production needs: hashed file names, slow hashes."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def studio(db) -> Organization:
    return Organization.objects.create(name="Studio", slug="studio")


@pytest.fixture
def stranger_organization(db) -> Organization:
    return Organization.objects.create(name="Elsewhere", slug="elsewhere")


@pytest.fixture
def member(db):
    """Make a person with a role in an organisation."""

    def make(organization: Organization, role: str, email: str = "") -> User:
        user = User.objects.create_user(
            email or f"{role}@{organization.slug}.example", "pass-word-1"
        )
        Membership.objects.create(user=user, organization=organization, role=role)
        return user

    return make


@pytest.fixture
def developer(member, studio) -> User:
    return member(studio, Role.DEVELOPER)


@pytest.fixture
def stranger(member, stranger_organization) -> User:
    """A developer of another organisation."""
    return member(stranger_organization, Role.DEVELOPER)


@pytest.fixture
def application(studio) -> Application:
    return Application.objects.create(
        organization=studio, name="Field Service", link_name="field_service"
    )


@pytest.fixture
def signed_in():
    """Return a client in which a person is signed in; unsafe requests need a CSRF token."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def developer_client(signed_in, developer, application) -> Client:
    return signed_in(developer)
