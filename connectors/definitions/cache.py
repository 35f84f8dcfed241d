"""Keep the parsed catalogue between two starts: reading TOML is most of a start's time.

What is kept is JSON under ``var/``, signed with ``SECRET_KEY``, and good for exactly the
files and the code that it was read with. Whatever is wrong with it, the files are read.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

from connectors.definitions.loader import DefinitionFault, definition_files, faultless, read_files
from connectors.definitions.schema import Connector

#: What decides whether a definition has faults, and what becomes of it.
_CODE = ("schema", "url_rules", "rules", "patterns", "loader", "templates")


def kept_file() -> Path:
    """Return where the parsed catalogue lies, if it does."""
    return Path(settings.BASE_DIR) / "var" / "catalogue.json"


def read_kept(
    folders: Sequence[Path], constants: Mapping[str, str]
) -> tuple[dict[str, Connector], tuple[DefinitionFault, ...]]:
    """Read the definitions of all folders, as they were kept or from their files.

    A file takes the place of one of the same name in an earlier folder. Only a catalogue
    without faults is kept, and of that only what does not depend on the deployment.
    """
    state = _state(folders)
    kept = _built(state)
    paths = definition_files(folders)
    if kept is not None:
        connectors, faults = read_files(
            [path for path in paths if path.stem not in kept], constants
        )
        return {**kept, **connectors}, faults
    tables: dict[str, Any] = {}
    connectors, faults = read_files(paths, constants, tables)
    if not faults:
        _keep(state, tables)
        _built.cache_clear()
    return connectors, faults


def _state(folders: Sequence[Path]) -> str:
    """Return what must not have changed: every file, and who reads it."""
    code = Path(__file__).parent
    seen = hashlib.sha256()
    files = [path for folder in folders for path in sorted(folder.glob("*.toml"))]
    for path in (*(code / f"{name}.py" for name in _CODE), *files):
        content = path.read_bytes()
        seen.update(f"{path.parent}/{path.name}\n{len(content)}\n".encode() + content)
    return seen.hexdigest()


@lru_cache(maxsize=1)
def _built(state: str) -> Mapping[str, Connector] | None:
    """Return the connectors that were kept in this state, or None where none were."""
    tables = _tables(state)
    if tables is None:
        return None
    return {slug: faultless(slug, table) for slug, table in tables.items()}


def _tables(state: str) -> dict[str, Any] | None:
    try:
        signature, _, text = kept_file().read_bytes().partition(b"\n")
    except OSError:
        return None
    if not hmac.compare_digest(signature, _signature(text)):
        return None
    kept = json.loads(text)
    return kept["tables"] if kept["state"] == state else None


def _keep(state: str, tables: Mapping[str, Any]) -> None:
    """Write the file in one step; where that cannot be, each start reads the definitions."""
    text = json.dumps({"state": state, "tables": tables}).encode()
    file = kept_file()
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=file.name)
        try:
            with os.fdopen(handle, "wb") as new:
                new.write(_signature(text) + b"\n" + text)
            Path(name).replace(file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def _signature(text: bytes) -> bytes:
    signed = salted_hmac("connectors.definitions.cache", text, algorithm="sha256")
    return signed.hexdigest().encode()
