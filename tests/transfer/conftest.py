"""An application with components, and signed-in super admins."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from console.accounts.models import User
from console.applications.models import Application
from console.choices import Role
from console.components.models import Component
from console.transfer.importing import import_application
from tests.transfer.files import document, text_of


@pytest.fixture
def super_admin_client(signed_in, super_admin) -> Client:
    return signed_in(super_admin)


@pytest.fixture
def other_super_admin(member, stranger_organization) -> User:
    """A super admin of another organization."""
    return member(stranger_organization, Role.SUPER_ADMIN)


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
def repairs(studio, super_admin) -> Application:
    """Import the usual file."""
    return import_application(text_of(document()), studio, super_admin)
