"""A person with an authorization, and people who may remove them."""

from __future__ import annotations

import pytest

from connections.models import Authorization
from console.accounts.models import Membership, User


@pytest.fixture
def colleague(member, studio) -> User:
    """A second developer of the organization."""
    return member(studio, "developer", "colleague@studio.example")


@pytest.fixture
def membership(developer) -> Membership:
    return developer.memberships.get()


@pytest.fixture
def authorization(connect, grant, developer) -> Authorization:
    """An authorization by the developer, for Development and Stage."""
    return grant(connect())


@pytest.fixture
def rows(authorization):
    """Reload the authorization."""

    def read() -> Authorization:
        authorization.refresh_from_db()
        return authorization

    return read
