"""Lint the console's own scripts and styles with ESLint and Stylelint."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.servers import ROOT, unavailable
from tests.setup import LINT, node_modules_are_complete

NODE_MODULES = LINT / "node_modules" / ".bin"


@pytest.mark.parametrize(
    ("tool", "configuration", "files"),
    [
        ("eslint", "eslint.config.js", "static/console/*.js"),
        ("stylelint", "stylelint.config.js", "static/console/*.css"),
    ],
)
def test_it_finds_nothing(tool: str, configuration: str, files: str) -> None:
    if not node_modules_are_complete(LINT):
        unavailable(f"{tool} is not installed: it needs Node 20 and npm (tests/setup.py)")
    result = subprocess.run(
        [NODE_MODULES / tool, "--config", LINT / configuration, files],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
