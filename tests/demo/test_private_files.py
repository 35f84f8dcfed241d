"""Only the owner can read the files of the demo: the database, keys and logs."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

from django.conf import settings


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_can_read_the_files(tmp_path):
    folder = tmp_path / "var"
    folder.mkdir(mode=0o755)
    database, log = folder / "console.sqlite3", folder / "logs" / "console.log"
    log.parent.mkdir(mode=0o755)
    sqlite3.connect(database).execute("PRAGMA journal_mode=WAL").close()
    for path in (database, folder / "console.sqlite3-wal", log):
        path.touch()
        path.chmod(0o644)
    environment = {
        "PATH": os.environ["PATH"],
        "VAR_DIR": str(folder),
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "sessions", "--verbosity", "0"],
        cwd=settings.BASE_DIR,
        env=environment,
        check=True,
        capture_output=True,
    )
    assert (folder / "secret_key").read_text()
    for path in (folder, *folder.rglob("*")):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path
