"""Hide the demo's files from other users of the machine: folders get mode 0700, files 0600."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def make_private(folder: Path) -> None:
    """Restrict the folder, its files and all files that this process will write to their owner.

    SQLite gives its journal files the mode of the database.
    """
    os.umask(0o077)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            with suppress(FileNotFoundError):  # a running demo may remove files
                path.chmod(0o700 if path.is_dir() else 0o600)
