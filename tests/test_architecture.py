"""What the folders promise: rooms in layers, one way to the network, one meaning for each name.

The rooms are found in the source. ``LAYERS`` puts them in order; a room that is not in the list
fails the test, and so does an import that points upwards. As the order is total, no chain of
imports can point upwards either; ``test_no_room_is_reached_from_below`` follows them anyway.
"""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("sandbox", "connectors", "connections", "console", "client")
#: From the ground up: a room imports only rooms that come before it.
LAYERS = (
    "connectors.version",
    "connectors.errors",
    "connectors.definitions",
    "connectors.http",
    "connectors.api",
    "connectors.oauth2",
    "console.choices",
    "console.names",
    "console.insert_only",
    "console.database",
    "console.public_url",
    "console.mail",
    "console.pagination",
    "console.column_sort",
    "console.filters",
    "console.due_rows",
    "console.short_cache",
    "console.worker_threads",
    "console.batched_check",
    "console.optimistic_lock",
    "console.stylesheet",
    "console.encryption",
    "console.monitoring",
    "console.accounts",
    "console.audit",
    "console.signing_in",
    "console.saved_filters",
    "console.applications",
    "console.components",
    "connections.models",
    "connections.setup",
    "connections.authorizations",
    "connections.credentials",
    "connections.oauth_clients",
    "connections.calls",
    "connections.bulk",
    "console.inviting",
    "console.people",
    "console.invocations",
    "console.health",
    "console.webhooks",
    "console.publishing",
    "console.keys",
    "console.distribution",
    "console.transfer",
    "console.runtime",
    "console.guides",
    "console.search",
    "console.gateway",
    "console.server",
    "console.jobs",
    "console.pages",
    "console.administration",
    "console.demo",
    "console.templatetags",
    "console.formats",
    "console.settings",
    "console.wsgi",
    "console.asgi",
)
#: Modules that Django finds by their names. They join rooms together, so they may import from all
#: of them, and nothing but another of them imports them.
ENTRANCES = frozenset({"views", "urls", "apps", "admin", "management"})
#: Django's own names, which every room may have.
USUAL_NAMES = frozenset(
    {"__init__", "__main__", "admin", "apps", "checks", "forms", "middleware", "models", "urls"}
    | {"views", "errors", "0001_initial"}
)

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
    "websockets",
    "aiohttp",
)
#: ``ssrf`` judges what a name resolved to; the others make the connections and use them.
SPEAKERS = {
    f"connectors/http/{name}.py"
    for name in (
        "http_client",
        "connection_pool",
        "stream",
        "error_messages",
        "http1",
        "transport",
        "ssrf",
        "websocket",
    )
}
#: The demo waits for servers that it has started itself, and the client is for other programs.
APART = ("sandbox", "console/demo", "client")
OAUTH_LIBRARIES = ("requests_oauthlib", "oauthlib")
OAUTH_SPEAKERS = {
    f"connectors/oauth2/{name}.py"
    for name in ("authorization_request", "token_exchange", "token_session")
}

FILES = sorted(
    path.relative_to(ROOT)
    for room in PRODUCT
    for path in (ROOT / room).rglob("*.py")
    if "node_modules" not in path.parts
)


def module_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


@cache
def imported(path: Path) -> frozenset[str]:
    """Name every module that a file imports, wherever in it the import is."""

    def names() -> Iterator[str]:
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path} imports by a relative path"
                yield node.module or ""
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    return frozenset(names())


def reaches(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(module + ".") for module in modules)


def room_of(module: str) -> str | None:
    """Return the room of a module; none for packages that hold rooms, and for entrances."""
    parts = module.split(".")
    if len(parts) < 2 or ENTRANCES.intersection(parts) or "migrations" in parts:
        return None
    return ".".join(parts[:2])


def room_imports() -> dict[str, dict[str, str]]:
    """For each room: the rooms that it imports, each with one import as an example."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for module, path in MODULES.items():
        room = room_of(module)
        if room is None or not module.startswith(("connectors", "connections", "console")):
            continue
        found[room]
        for name in imported(path):
            other = room_of(name) if name in MODULES else None
            if other and other != room:
                found[room].setdefault(other, f"{path} imports {name}")
    return found


IMPORTS = room_imports()


def test_there_is_something_to_read():
    assert len(FILES) > 300
    assert "connectors.definitions.schema" in imported(MODULES["connectors.definitions.registry"])


def test_every_room_has_its_layer():
    assert set(IMPORTS) == set(LAYERS)
    assert len(LAYERS) == len(set(LAYERS))


@pytest.mark.parametrize("room", LAYERS)
def test_a_room_imports_only_rooms_below_it(room):
    above = LAYERS[LAYERS.index(room) + 1 :]
    assert [why for other, why in IMPORTS[room].items() if other in above] == []


def test_no_room_is_reached_from_below():
    for height, room in enumerate(LAYERS):
        seen, waiting = set(), [room]
        while waiting:
            for other in IMPORTS[waiting.pop()]:
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        assert seen <= set(LAYERS[:height]), room


def test_only_entrances_import_entrances():
    found = [
        f"{path}: {name}"
        for module, path in MODULES.items()
        if room_of(module) and path.parts[0] not in APART
        for name in imported(path)
        if name in MODULES and ENTRANCES.intersection(name.split("."))
    ]
    assert found == []


def test_the_packages_stay_apart():
    closed = {
        "connectors": ("console", "connections", "sandbox", "tests"),
        "connections": ("sandbox", "tests", "developer_console_client"),
        "console": ("sandbox", "tests", "developer_console_client"),
        "sandbox": ("console", "connections", "connectors", "tests"),
        "client": ("console", "connections", "connectors", "sandbox", "django", "tests"),
    }
    found = [
        f"{path}: {name}"
        for path in FILES
        for name in imported(path)
        if reaches(name, closed[path.parts[0]])
    ]
    assert found == []


def test_one_package_speaks_to_services():
    found = [
        f"{path}: {name}"
        for path in FILES
        if str(path) not in SPEAKERS and not any(path.is_relative_to(room) for room in APART)
        for name in imported(path)
        if reaches(name, NETWORK)
    ]
    assert found == []


def test_one_package_speaks_oauth():
    found = [
        f"{path}: {name}"
        for path in FILES
        if str(path) not in OAUTH_SPEAKERS and not path.is_relative_to("sandbox")
        for name in imported(path)
        if reaches(name, OAUTH_LIBRARIES)
    ]
    assert found == []


@pytest.mark.parametrize("package", PRODUCT)
def test_no_file_name_is_used_twice(package):
    stems = Counter(
        path.stem for path in FILES if path.parts[0] == package and path.stem not in USUAL_NAMES
    )
    assert [stem for stem, count in stems.items() if count > 1] == []


def classes(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield node.name


def test_no_class_name_is_used_twice():
    """Classes within classes, such as ``Connection.Status``, are named by both.

    The client is a package of its own: programs never see the console's classes beside its own.
    """
    names: dict[str, list[str]] = defaultdict(list)
    for path in FILES:
        if path.parts[0] == "client" or {"migrations", "commands"}.intersection(path.parts):
            continue  # Django finds these classes by a name that is always the same
        for name in classes(ast.parse((ROOT / path).read_text(encoding="utf-8")).body):
            names[name].append(str(path))
    assert {name: paths for name, paths in names.items() if len(paths) > 1} == {}


def test_modules_that_end_in_ing_are_stories():
    """A verb form names only what a person does and the audit log knows; see house rules."""
    found = {path.stem for path in FILES if re.search(r"ing$", path.stem)}
    assert found == STORIES


#: What people do, each in its own module.
STORIES = {
    "authorizing",
    "granting",
    "revoking",
    "suspending",
    "labeling",
    "drafting",
    "changing",
    "disabling",
    "replacing",
    "tagging",
    "saving",
    "refreshing",
    "testing",
    "invoking",
    "proxying",
    "publishing",
    "installing",
    "updating",
    "sharing",
    "inviting",
    "accepting",
    "issuing",
    "importing",
    "exporting",
    "choosing",
    "registering",
}
