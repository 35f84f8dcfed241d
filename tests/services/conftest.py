"""Go through the wizard's pages as a developer's browser without scripts would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import Connection
from connectors.definitions.registry import get_connectors


@pytest.fixture
def fresh_registry() -> Iterator[None]:
    """Read the catalogue again for one test, and again after it."""
    get_connectors.cache_clear()
    yield
    get_connectors.cache_clear()


@pytest.fixture
def create_connection(developer_client: Client, application) -> Callable[..., Connection]:
    """Make a connection from its card to *Create and Authorize*."""

    def create(slug: str, **parameters: str) -> Connection:
        answer = developer_client.post(reverse("draft_start", args=[slug]))
        draft = Connection.objects.drafts().get(connector_slug=slug)
        answers: dict[str, dict[str, Any]] = {
            "name": {"name": draft.name, "application": application.pk}
            | {f"parameter_{name}": value for name, value in parameters.items()},
            "level": {"level": "administrator"},
            "permissions": {"all_actions": "on"},
            "environments": {"csrfmiddlewaretoken": ""},  # no form of a browser is empty
        }
        while "/setup/" in answer["Location"]:
            page = answer["Location"]
            answer = developer_client.post(page, answers[page.rstrip("/").rsplit("/", 1)[1]])
            assert answer.status_code == 303, answer.content.decode()
        assert answer["Location"] == reverse("connection_authorize", args=[draft.pk])
        return Connection.objects.created().get(pk=draft.pk)

    return create
