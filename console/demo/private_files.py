"""Keep what the demo writes from other users of the machine: folders 0700, files 0600."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def make_private(folder: Path) -> None:
    """Let all that this process and its children write be its owner's; tighten what is there.

    SQLite gives the files beside a database the mode of the database.
    """
    os.umask(0o077)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            with suppress(FileNotFoundError):  # a demo that runs may remove its files
                path.chmod(0o700 if path.is_dir() else 0o600)
