"""People, an application, and signed-in clients for the tests."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import hypothesis
import pytest
import responses
from allauth.account.internal.flows.login import record_authentication
from django.conf import settings as configured
from django.core.signals import setting_changed
from django.db import connections as database_connections
from django.dispatch import receiver
from django.http import HttpRequest
from django.test import Client

from connections.models import (
    Authorization,
    Connection,
    Credential,
    InstalledConnection,
    OAuthClient,
)
from connections.setup.drafting import STEPS
from connectors.definitions.registry import get_connector, get_connectors
from console.accounts.models import Membership, Organization, User
from console.applications.models import Application, Right
from console.choices import Role
from console.components import saving
from console.components.models import Component
from console.keys import last_used

# How long an example takes says how busy the machine is, not whether the console is right.
hypothesis.settings.register_profile("console", deadline=None)
hypothesis.settings.load_profile("console")

#: A test that takes longer on a quiet machine gives the reason in the mark ``slow``. Without the
#: mark it is listed but does not fail, because a busy machine makes every test slower.
SLOW_SECONDS = 10


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many cells of the policy's matrix were compared, and which tests are slow."""
    reports = [
        report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)
    ]
    cells = sum(
        value
        for report in reports
        for key, value in getattr(report, "user_properties", ())
        if key == "cells"
    )
    if cells:
        differing = [
            each for each in terminalreporter.getreports("failed") if "matrix" in each.nodeid
        ]
        terminalreporter.write_line(f"policy: {cells} cells, routes that differ: {len(differing)}")
    for report in reports:
        if report.when != "call" or report.duration <= SLOW_SECONDS or "slow" in report.keywords:
            continue
        terminalreporter.write_line(
            f"slow: {report.nodeid} took {report.duration:.0f} s. "
            'Make it faster, or say why it must: @pytest.mark.slow("...")'
        )


@receiver(setting_changed)
def read_connectors_again(*, setting: str, **kwargs: Any) -> None:
    """Clear the connectors when a test changes or restores a setting that they depend on."""
    if setting in {"SANDBOX_URL", "EXTRA_CATALOGUES"}:
        get_connectors.cache_clear()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep SQLite in a file, as in production: in memory, threads have no lock to wait for.

    On PostgreSQL, switch off the pool. It releases connections in a thread of its own and may
    still hold one when the test database is dropped. The browser tests run with the pool.
    """
    database = configured.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        file = tmp_path_factory.mktemp("database") / "tests.sqlite3"
        database.setdefault("TEST", {})["NAME"] = str(file)
        return
    database["OPTIONS"].pop("pool", None)
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        database.setdefault("TEST", {})["NAME"] = f"test_{database['NAME']}_{worker}"


@pytest.fixture(autouse=True)
def plain_settings(settings) -> None:
    """Switch off what only production needs: hashed file names and slow password hashes."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def no_key_was_used() -> None:
    """Forget the key uses of earlier tests, which the next request would write."""
    last_used._used.clear()


@pytest.fixture
def studio(db) -> Organization:
    return Organization.objects.create(name="Studio", slug="studio")


@pytest.fixture
def stranger_organization(db) -> Organization:
    return Organization.objects.create(name="Elsewhere", slug="elsewhere")


@pytest.fixture
def member(db):
    """Create a user with a role in an organization."""

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
    """A developer of another organization."""
    return member(stranger_organization, Role.DEVELOPER)


@pytest.fixture
def application(studio) -> Application:
    return Application.objects.create(
        organization=studio, name="Field Service", link_name="field_service"
    )


@pytest.fixture
def may_publish(application, developer) -> Right:
    """Let the developer publish the application, which the role does not include."""
    return Right.objects.create(application=application, user=developer, may_publish=True)


@pytest.fixture
def signed_in():
    """Return a function that signs a user in and returns their test client."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        request = HttpRequest()
        request.session = client.session
        record_authentication(request, user, "password")  # as signing in does
        request.session.save()
        return client

    return sign_in


@pytest.fixture
def developer_client(signed_in, developer, application) -> Client:
    return signed_in(developer)


@pytest.fixture
def super_admin(member, studio) -> User:
    return member(studio, Role.SUPER_ADMIN)


@pytest.fixture
def operator(db) -> User:
    """A superuser, who runs the deployment and belongs to no organization."""
    return User.objects.create_superuser("operator@console.example", "pass-word-1")


@pytest.fixture
def connect(application, developer):
    """Create a connection; with ``status="draft"`` it is still in the wizard."""

    def make(connector: str = "sandbox", name: str = "", **fields: Any) -> Connection:
        number = Connection.objects.count() + 1
        fields = {
            "application": application,
            "auth_type": get_connector(connector).auth_types[0],
            "name": name or f"Connection {number}",
            "link_name": f"connection_{number}",
            "status": Connection.Status.CREATED,
            "scopes": ["contacts.read"] if connector == "sandbox" else [],
            "answered": list(STEPS),
            "created_by": developer,
        } | fields
        return Connection.objects.create(connector_slug=connector, **fields)

    return make


@pytest.fixture
def grant():
    """Authorize a connection in an environment, with a credential made for the test."""

    def make(
        connection: Connection,
        environment: str = "all",
        user: User | None = None,
        organization: Organization | None = None,
        **fields: Any,
    ) -> Authorization:
        organization = organization or connection.application.organization
        fields = {
            "auth_type": connection.auth_type,
            "client": OAuthClient.objects.filter(connector_slug=connection.connector_slug).first()
            if connection.auth_type == "oauth2"
            else None,
            "label": "alice@example.com",
            "scopes_granted": list(connection.scopes_asked),
            "parameters": connection.parameters,
            "secret": {"access_token": "an-access-token", "refresh_token": "a-refresh-token"},
            "user": user,
        } | fields
        credential = Credential.objects.create(
            organization=organization, connector_slug=connection.connector_slug, **fields
        )
        return Authorization.objects.create(
            connection=connection,
            organization=organization,
            environment=environment,
            user=user,
            authorized_by=user or connection.created_by,
            scopes_asked=list(connection.scopes_asked),
            credential=credential,
        )

    return make


@pytest.fixture
def client_organization(db) -> Organization:
    """An organization that installs what the studio builds."""
    return Organization.objects.create(name="Client", slug="client")


@pytest.fixture
def client_people(member, client_organization) -> dict[str, User]:
    """The users of the client organization, one for each role."""
    return {role: member(client_organization, role) for role in Role.values}


@pytest.fixture
def install(client_organization):
    """Install a connection for a client organization, with changes such as ``level="..."``."""

    def make(
        connection: Connection,
        organization: Organization | None = None,
        ends_at: datetime | None = None,
        **snapshot: Any,
    ) -> InstalledConnection:
        return InstalledConnection.objects.create(
            connection=connection,
            organization=organization or client_organization,
            number=1,
            document=replace(connection.snapshot, **snapshot).as_document(),
            ends_at=ends_at,
        )

    return make


@pytest.fixture
def build(application, developer):
    """Create a component; by default a function that calls each of these connections."""

    def make(
        name: str,
        *connections: Connection,
        kind: str = "function",
        definition: Any = None,
        **fields: Any,
    ) -> Component:
        if definition is None:
            definition = {
                "calls": [
                    {"connection": connection.link_name, "path": "/contacts"}
                    for connection in connections
                ]
            }
        component = Component(
            **{"application": application, "kind": kind, "name": name} | fields,
            definition=json.dumps(definition, indent=2),
        )
        return saving.create(component, developer)

    return make


@pytest.fixture
def network(settings) -> Iterator[responses.RequestsMock]:
    """Mock every service, the sandbox included: no request leaves this machine."""
    settings.ALLOWED_PRIVATE_HOSTS = ["localhost:9000"]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def at_once() -> Callable[[int, Callable[[], Any]], list[Any]]:
    """Run a function in many threads at the same time and return all results."""

    def run(times: int, work: Callable[[], Any]) -> list[Any]:
        def one(_: int) -> Any:
            try:
                return work()
            finally:
                database_connections.close_all()

        with ThreadPoolExecutor(times) as threads:
            return list(threads.map(one, range(times)))

    return run
