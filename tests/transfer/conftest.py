"""An application that has been built for a while, and a super admin's browser."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections as database_connections
from django.test import Client

from console.applications.models import Application, Component
from console.transfer.importing import import_application
from tests.transfer.files import document, text_of


@pytest.fixture
def super_admin_client(signed_in, super_admin) -> Client:
    return signed_in(super_admin)


@pytest.fixture
def build(application, developer) -> Callable[..., Component]:
    """Put a component into the application, its definition as it was typed."""

    def make(link_name: str, definition: str, kind: str = "function") -> Component:
        return Component.objects.create(
            application=application,
            kind=kind,
            name=link_name.capitalize(),
            link_name=link_name,
            definition=definition,
            updated_by=developer,
        )

    return make


@pytest.fixture
def repairs(studio, developer) -> Application:
    """Import the usual file."""
    return import_application(text_of(document()), studio, developer)


@pytest.fixture
def at_once() -> Callable[[int, Callable[[], Any]], list[Any]]:
    """Do the same thing in many threads and return what came of each."""

    def run(times: int, work: Callable[[], Any]) -> list[Any]:
        def one(_: int) -> Any:
            try:
                return work()
            finally:
                database_connections.close_all()

        with ThreadPoolExecutor(times) as threads:
            return list(threads.map(one, range(times)))

    return run
