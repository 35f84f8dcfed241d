"""Collect the static files of the demo, only when one of them has changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.management.commands.collectstatic import Command as CollectStatic
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.management import call_command


def collect_static_files() -> None:
    """Run ``collectstatic`` without compression, unless nothing has changed since the last run.

    Compressing takes several seconds and saves nothing on a connection to this machine.
    """
    stamp, current = Path(settings.STATIC_ROOT) / ".collected", _fingerprint()
    if stamp.exists() and stamp.read_text() == current:
        return
    stamp.unlink(missing_ok=True)
    command = CollectStatic()
    command.storage = ManifestStaticFilesStorage()
    call_command(command, interactive=False, verbosity=0)
    stamp.write_text(current)


def _fingerprint() -> str:
    """Return a hash of the names, sizes and modification times of all static files."""
    result = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            stat = Path(storage.path(name)).stat()
            result.update(f"{name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return result.hexdigest()
