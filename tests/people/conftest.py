"""Somebody who has authorized something, and who may send him away."""

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
    """What the developer has authorized for everybody, in Development and Stage."""
    return grant(connect())


@pytest.fixture
def rows(authorization):
    """Read the authorization as it is now."""

    def read() -> Authorization:
        authorization.refresh_from_db()
        return authorization

    return read
