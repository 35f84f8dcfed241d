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
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.servers import ROOT, unavailable
from tests.setup import install_node_modules, node_modules_are_complete

TIMEOUT_SECONDS = 300
PACKAGES = ("asgiref", "django", "sqlparse", "uv")
MARK = ".venv/installed.txt"
CHECK = f"import django.conf; from pathlib import Path; assert Path('{MARK}').exists()"
#: How often an interruption is tried that comes too late.
ATTEMPTS = 5


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
    return subprocess.Popen(
        command, cwd=folder, env=environment, start_new_session=True, preexec_fn=_heed_interrupts
    )


def _heed_interrupts() -> None:
    """Undo what a shell does to a command in the background: it ignores SIGINT from then on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def make_setup(folder: Path) -> subprocess.Popen[bytes]:
    return start(folder, "make", "setup", f"PYTHON={sys.executable}")


def stop(process: subprocess.Popen[bytes], folder: Path, moment: str, mark: str) -> bool:
    """Stop the whole process group once a file of the pattern ``moment`` is there.

    Return whether that was in time. On a busy machine the command may have finished in between,
    and made its ``mark``.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while process.poll() is None and not any(folder.glob(moment)):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    with suppress(ProcessLookupError):  # it has just finished
        os.killpg(process.pid, signal.SIGSTOP)
    assert not process.poll(), f"It failed before there was {moment}."
    return process.returncode is None and not (folder / mark).exists()


def interrupt(
    command: Callable[[], subprocess.Popen[bytes]],
    folder: Path,
    moment: str,
    mark: str,
    number: int,
) -> None:
    """Run a command and end it with a signal at a moment; if that was too late, start again.

    What it installs is in the first folder of ``mark``.
    """
    for _ in range(ATTEMPTS):
        process = command()
        in_time = stop(process, folder, moment, mark)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number if in_time else signal.SIGKILL)
            os.killpg(process.pid, signal.SIGCONT)
        process.wait(TIMEOUT_SECONDS)
        if in_time and not (folder / mark).exists():  # its last step may just have begun
            return
        shutil.rmtree(folder / Path(mark).parts[0])
    pytest.fail(f"It always finished before it could be stopped at {moment}.")


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
        interrupt(lambda: make_setup(project), project, moment, MARK, number)
        assert not (project / MARK).exists()
    finish(project)

    mark, python = project / MARK, project / ".venv" / "bin" / "python"
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
    interrupt(
        lambda: start(npm_package, "npm", "ci", "--silent"),
        npm_package,
        moment="node_modules/*",
        mark="node_modules/.package-lock.json",
        number=signal.SIGKILL,
    )
    assert not node_modules_are_complete(npm_package)
    assert install_node_modules(npm_package) == ""
    assert node_modules_are_complete(npm_package)
    assert (npm_package / "node_modules" / "tiny" / "index.js").exists()
