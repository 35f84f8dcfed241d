"""API keys and their holders."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from console.keys import authentication, user_tokens
from console.keys.authentication import KeyHolder
from console.keys.issuing import create_key


@pytest.fixture(autouse=True)
def nothing_was_read_lately() -> None:
    """Forget what earlier tests have read, and who has guessed."""
    cache.clear()
    for each in (authentication._holders, user_tokens._users, user_tokens._public_keys):
        each.clear()


@pytest.fixture
def key_of(application, developer):
    """Make a key and return its row with its text."""

    def make(environment: str = "development", name: str = "A program", **other):
        application_ = other.get("application", application)
        return create_key(application_, application_.organization, environment, developer, name)

    return make


@pytest.fixture
def holder(key_of) -> KeyHolder:
    return authentication.authenticate_key(key_of()[1])
