"""Which room may look into which, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
#: The rooms from the ground up: nothing in one imports a room that stands above it.
ROOMS = (
    "console/accounts",
    "console/audit",
    "console/inviting",
    "console/applications",
    "connections",
    "console/people",
    "console/invocations",
    "console/health",
    "console/webhooks",
    "console/publishing",
    "console/keys",
    "console/distribution",
    "console/runtime",
    "console/transfer",
    "console/urls",
    "console/views",
)
#: Room to the rooms that nothing in it imports; the nearest entry to a file counts as well.
CLOSED: dict[str, tuple[str, ...]] = {
    "connectors": ("console", "connections", "tests"),
    "connectors/sandbox": ("connectors.oauth2", "connectors.registry", "connectors.outbound"),
    "console": ("tests", "developer_console_client"),
    "client": ("console", "connections", "connectors", "django", "tests"),
} | {
    room: (*(above.replace("/", ".") for above in ROOMS[height + 1 :]), "tests")
    for height, room in enumerate(ROOMS)
}
#: What speaks to the network, and the files that may import it.
NETWORK = (
    "requests",
    "urllib3",
    "socket",
    "ssl",
    "http.client",
    "httptools",
    "urllib.request",
    "httpx",
    "aiohttp",
)
#: ``addresses`` judges what a name resolved to, ``sandbox`` is another company's server.
SPEAKERS = {
    f"connectors/{name}.py"
    for name in ("outbound", "holding", "relaying", "explaining", "speaking", "wire", "addresses")
}
#: The demo waits for servers that it has started itself, and the client is for other programs.
APART = ("connectors/sandbox", "console/demo", "client")
OAUTH_LIBRARIES = ("requests_oauthlib", "oauthlib")
OAUTH_SPEAKERS = {"connectors/oauth2.py"}

FILES = sorted(
    path.relative_to(ROOT)
    for room in ("connectors", "connections", "console", "client")
    for path in (ROOT / room).rglob("*.py")
)


def imported(path: Path) -> Iterator[str]:
    """Name every module that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative path"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reaches(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(module + ".") for module in modules)


def test_there_is_something_to_read():
    assert len(FILES) > 50
    assert "connectors.definition" in set(imported(Path("connectors/registry.py")))


@pytest.mark.parametrize("room", CLOSED)
def test_no_room_looks_where_it_must_not(room):
    found = [
        f"{path}: {name}"
        for path in FILES
        if path.is_relative_to(room)
        for name in imported(path)
        if reaches(name, CLOSED[room])
    ]
    assert found == []


def test_one_module_speaks_to_services():
    found = [
        f"{path}: {name}"
        for path in FILES
        if str(path) not in SPEAKERS and not any(path.is_relative_to(room) for room in APART)
        for name in imported(path)
        if reaches(name, NETWORK)
    ]
    assert found == []


def test_one_module_speaks_oauth():
    found = [
        f"{path}: {name}"
        for path in FILES
        if str(path) not in OAUTH_SPEAKERS and not path.is_relative_to("connectors/sandbox")
        for name in imported(path)
        if reaches(name, OAUTH_LIBRARIES)
    ]
    assert found == []


def test_the_sandbox_never_ships_with_the_console():
    found = [
        f"{path}: {name}"
        for path in FILES
        if not path.is_relative_to("connectors/sandbox")
        for name in imported(path)
        if reaches(name, ("oauth2_provider", "connectors.sandbox"))
    ]
    assert found == []
