"""``make setup`` and ``tests/setup.py`` finish what an interrupted installation has left.

The real ``Makefile`` runs in a copy with a lock of a few packages, and is killed while it works.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.servers import ROOT, unavailable
from tests.setup import install_node_modules, node_modules_are_complete

TIMEOUT_SECONDS = 300
PACKAGES = ("asgiref", "django", "sqlparse", "uv")
CHECK = "import django.conf; from pathlib import Path; assert Path('.venv/installed.txt').exists()"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with what ``make setup`` reads, and Django as its only package."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    lock = (ROOT / "requirements" / "development.txt").read_text(encoding="utf-8")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "development.txt").write_text(
        "".join(
            match[0]
            for name in PACKAGES
            for match in re.finditer(rf"^{name}==.*\n(?:    --hash.*\n)+", lock, re.MULTILINE)
        )
    )
    return tmp_path


def start(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    # The environment of an outer ``make`` would change what this one does.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    return subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True)


def make_setup(folder: Path) -> subprocess.Popen[bytes]:
    return start(folder, "make", "setup", f"PYTHON={sys.executable}")


def interrupt(process: subprocess.Popen[bytes], folder: Path, moment: str, number: int) -> None:
    """Send a signal to the whole process group once a file of this pattern is there."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not any(folder.glob(moment)):
        assert process.poll() is None, f"It ended before there was {moment}."
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.killpg(process.pid, number)
    process.wait()


def finish(folder: Path) -> None:
    assert make_setup(folder).wait(TIMEOUT_SECONDS) == 0
    subprocess.run([".venv/bin/python", "-c", CHECK], cwd=folder, check=True)


@pytest.mark.slow("It makes an environment twice, and is interrupted three times before.")
def test_an_interrupted_setup_is_finished_by_the_next(project):
    for moment, number in (
        (".venv/bin/python", signal.SIGKILL),
        (".venv/bin/uv", signal.SIGINT),
        (".venv/lib/*/site-packages/django/__init__.py", signal.SIGKILL),
    ):
        interrupt(make_setup(project), project, moment, number)
        assert not (project / ".venv" / "installed.txt").exists()
    finish(project)

    mark, python = project / ".venv" / "installed.txt", project / ".venv" / "bin" / "python"
    written = mark.stat().st_mtime_ns
    finish(project)
    assert mark.stat().st_mtime_ns == written  # nothing was left to do

    python.unlink()
    python.symlink_to(project / "no-python")  # as when the Python it came from was removed
    finish(project)


@pytest.fixture
def npm_package(tmp_path: Path) -> Path:
    """A folder whose lock names one package, which lies on this machine."""
    if shutil.which("npm") is None:
        unavailable("npm is not installed: it comes with Node 20")
    package = tmp_path / "tiny"
    package.mkdir()
    (package / "package.json").write_text('{"name": "tiny", "version": "1.0.0"}')
    (package / "index.js").write_text("// nothing\n" * 100)
    subprocess.run(["npm", "pack", "--silent"], cwd=package, check=True, capture_output=True)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "package.json").write_text(
        '{"name": "folder", "dependencies": {"tiny": "file:../tiny/tiny-1.0.0.tgz"}}'
    )
    subprocess.run(["npm", "install", "--package-lock-only", "--silent"], cwd=folder, check=True)
    return folder


def test_interrupted_node_packages_are_installed_again(npm_package):
    process = start(npm_package, "npm", "ci", "--silent")
    interrupt(process, npm_package, "node_modules/*", signal.SIGKILL)
    assert not node_modules_are_complete(npm_package)
    assert install_node_modules(npm_package) == ""
    assert node_modules_are_complete(npm_package)
    assert (npm_package / "node_modules" / "tiny" / "index.js").exists()
