"""Cache of the parsed catalogue between starts: parsing TOML takes most of the start-up time.

The cache is a JSON file under ``var/``, signed with ``SECRET_KEY``. It is valid only for the same
definitions and code. If it is missing or invalid, the definitions are parsed again.
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

from connectors.definitions.loader import (
    DefinitionFault,
    build_connector,
    definition_files,
    read_files,
)
from connectors.definitions.schema import Connector

#: The modules that validate and build definitions.
_CODE = ("schema", "url_rules", "rules", "patterns", "loader", "templates")


def cache_file() -> Path:
    """Return the path of the cache file."""
    return Path(settings.BASE_DIR) / "var" / "catalogue.json"


def load_catalogue(
    folders: Sequence[Path], constants: Mapping[str, str]
) -> tuple[dict[str, Connector], tuple[DefinitionFault, ...]]:
    """Read the definitions of all folders, from the cache if it is valid.

    A file overrides one with the same name in an earlier folder. Only a catalogue without faults is
    cached, and only definitions that do not depend on the deployment.
    """
    fingerprint = _fingerprint(folders)
    cached = _cached_connectors(fingerprint)
    paths = definition_files(folders)
    if cached is not None:
        connectors, faults = read_files(
            [path for path in paths if path.stem not in cached], constants
        )
        return {**cached, **connectors}, faults
    tables: dict[str, Any] = {}
    connectors, faults = read_files(paths, constants, tables)
    if not faults:
        _write_cache(fingerprint, tables)
        _cached_connectors.cache_clear()
    return connectors, faults


def _fingerprint(folders: Sequence[Path]) -> str:
    """Return a hash of all definitions and of the code that reads them."""
    code = Path(__file__).parent
    digest = hashlib.sha256()
    files = [path for folder in folders for path in sorted(folder.glob("*.toml"))]
    for path in (*(code / f"{name}.py" for name in _CODE), *files):
        content = path.read_bytes()
        digest.update(f"{path.parent}/{path.name}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _cached_connectors(fingerprint: str) -> Mapping[str, Connector] | None:
    """Return the cached connectors for this state, or ``None``."""
    tables = _read_cache(fingerprint)
    if tables is None:
        return None
    return {slug: build_connector(slug, table) for slug, table in tables.items()}


def _read_cache(fingerprint: str) -> dict[str, Any] | None:
    try:
        signature, _, text = cache_file().read_bytes().partition(b"\n")
    except OSError:
        return None
    if not hmac.compare_digest(signature, _signature(text)):
        return None
    cached = json.loads(text)
    return cached["tables"] if cached["state"] == fingerprint else None


def _write_cache(fingerprint: str, tables: Mapping[str, Any]) -> None:
    """Write the cache file atomically. If it cannot be written, nothing is cached."""
    text = json.dumps({"state": fingerprint, "tables": tables}).encode()
    file = cache_file()
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
    mac = salted_hmac("connectors.definitions.cache", text, algorithm="sha256")
    return mac.hexdigest().encode()
