"""The cache of parsed definitions, and what invalidates it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from connectors.definitions import cache
from connectors.definitions.cache import _cached_connectors, cache_file, load_catalogue
from connectors.definitions.registry import CATALOGUE

CONSTANTS = {"sandbox_url": "http://localhost:9000"}


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """Return a small catalogue, in a deployment with an empty cache."""
    settings.BASE_DIR = tmp_path / "deployment"
    settings.BASE_DIR.mkdir()
    catalogue = tmp_path / "catalogue"
    catalogue.mkdir()
    for slug in ("github", "slack", "sandbox"):
        copy(CATALOGUE / f"{slug}.toml", catalogue)
    _cached_connectors.cache_clear()
    return catalogue


def start(*folders: Path, **constants: str) -> dict[str, Any]:
    """Load the catalogue as a new process does."""
    _cached_connectors.cache_clear()
    connectors, faults = load_catalogue(folders, CONSTANTS | constants)
    assert faults == ()
    return dict(connectors)


def tamper(change: Any) -> None:
    """Change the cache without signing it again."""
    signature, _, text = cache_file().read_bytes().partition(b"\n")
    kept = json.loads(text)
    change(kept["tables"])
    cache_file().write_bytes(signature + b"\n" + json.dumps(kept).encode())


def test_a_second_start_gives_the_same_connectors(folder: Path) -> None:
    first = start(folder)
    written = cache_file().stat()
    assert start(folder) == first
    assert sorted(first) == ["github", "sandbox", "slack"]
    assert cache_file().stat().st_mtime_ns == written.st_mtime_ns
    assert written.st_mode & 0o077 == 0


def test_it_uses_the_cache(folder: Path, settings: Any) -> None:
    first = start(folder)
    # A changed cache with a valid signature shows that it is used.
    tables = json.loads(cache_file().read_bytes().partition(b"\n")[2])["tables"]
    tables["github"]["name"] = "Cached GitHub"
    cache._write_cache(cache._fingerprint([folder]), tables)
    assert start(folder)["github"].name == "Cached GitHub"
    assert start(folder)["slack"] == first["slack"]


def test_a_changed_file_invalidates_the_cache(folder: Path) -> None:
    start(folder)
    file = folder / "github.toml"
    file.write_text(file.read_text().replace('name = "GitHub"', 'name = "GitHuB"', 1))
    assert start(folder)["github"].name == "GitHuB"


def test_new_and_removed_files_invalidate_the_cache(folder: Path) -> None:
    start(folder)
    copy(CATALOGUE / "hubspot.toml", folder)
    (folder / "slack.toml").unlink()
    assert sorted(start(folder)) == ["github", "hubspot", "sandbox"]


def test_definitions_that_depend_on_the_deployment_are_not_cached(folder: Path) -> None:
    start(folder)
    elsewhere = start(folder, sandbox_url="http://localhost:9123")
    assert elsewhere["sandbox"].api_base_url == "http://localhost:9123/api"


def test_an_extra_definition_overrides_a_cached_one(folder: Path, tmp_path: Path) -> None:
    start(folder)
    ours = tmp_path / "ours"
    ours.mkdir()
    text = (folder / "github.toml").read_text()
    (ours / "github.toml").write_text(
        text.replace("https://api.github.com", "{sandbox_url}", 1).replace(
            "read_on", "sandbox = true\nread_on", 1
        )
    )
    for _ in range(2):
        assert start(folder, ours)["github"].api_base_url == "http://localhost:9000"


def test_a_cache_with_a_wrong_signature_is_ignored(folder: Path) -> None:
    first = start(folder)

    def lead_astray(tables: Any) -> None:
        tables["github"]["oauth2"]["token_endpoint"] = "https://evil.example/token"

    tamper(lead_astray)
    assert start(folder) == first


def test_a_cache_signed_with_another_key_is_ignored(folder: Path, settings: Any) -> None:
    first = start(folder)
    before = cache_file().read_bytes()
    settings.SECRET_KEY = "another one " * 5
    assert start(folder) == first
    assert cache_file().read_bytes() != before


@pytest.mark.parametrize("content", [b"", b"\n", b"0\n{}", b"\xff\xfe" * 100])
def test_an_invalid_cache_file_is_ignored(folder: Path, content: bytes) -> None:
    first = start(folder)
    cache_file().write_bytes(content)
    assert start(folder) == first


def test_it_works_if_the_cache_cannot_be_written(folder: Path, settings: Any) -> None:
    (settings.BASE_DIR / "var").write_text("a file where the folder would be")
    assert sorted(start(folder)) == ["github", "sandbox", "slack"]
    assert os.listdir(settings.BASE_DIR) == ["var"]


def test_a_faulty_catalogue_is_not_cached(folder: Path) -> None:
    (folder / "broken.toml").write_text("[")
    _cached_connectors.cache_clear()
    _, faults = load_catalogue([folder], CONSTANTS)
    assert [fault.file for fault in faults] == ["broken.toml"]
    assert not cache_file().exists()
