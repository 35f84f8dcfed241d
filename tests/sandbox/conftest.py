from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.visitors import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Application, Browser
from tests.servers import SandboxServer, sandbox_server


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    data: Path = tmp_path_factory.mktemp("sandbox")
    with sandbox_server(data) as server:
        server.register(CLIENT_ID, REDIRECT_URI, secret=CLIENT_SECRET, name="Postcards")
        yield server


@pytest.fixture
def sandbox(running: SandboxServer) -> SandboxServer:
    """Return the running sandbox with all switches off and all counts at zero."""
    running.reset()
    return running


@pytest.fixture
def application(sandbox: SandboxServer) -> Application:
    return Application(url=sandbox.url)


@pytest.fixture
def alice(sandbox: SandboxServer) -> Iterator[Browser]:
    with Browser(url=sandbox.url) as browser:
        browser.sign_in("alice", sandbox.demo_password)
        yield browser


@pytest.fixture
def bob(sandbox: SandboxServer) -> Iterator[Browser]:
    with Browser(url=sandbox.url) as browser:
        browser.sign_in("bob", sandbox.demo_password)
        yield browser
