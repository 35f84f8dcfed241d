"""A person with two organizations."""

from __future__ import annotations

import pytest
from django.test import Client

from console.accounts.models import Membership, User
from console.applications.models import Application
from console.choices import Role


@pytest.fixture
def both(member, studio, stranger_organization, application) -> User:
    """Somebody in two organizations, each of which has an application of the same name."""
    user = member(studio, Role.SUPER_ADMIN, "both@test.example")
    Membership.objects.create(user=user, organization=stranger_organization, role=Role.SUPER_ADMIN)
    Application.objects.create(
        organization=stranger_organization, name="Their Service", link_name="field_service"
    )
    return user


@pytest.fixture
def client(both, signed_in) -> Client:
    return signed_in(both)
