"""Every function that ``docs/architecture.md`` names exists."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parent.parent / "docs" / "architecture.md"
NAMES = re.findall(r"`([a-z_0-9.]+:[A-Za-z_.]+)`", PAGE.read_text(encoding="utf-8"))


def test_it_names_steps():
    assert len(NAMES) > 40


@pytest.mark.parametrize("name", NAMES)
def test_it_exists(name):
    module, _, path = name.partition(":")
    found: Any = import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    assert callable(found)
