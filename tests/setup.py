"""Find or install what the tests need beside Python: a browser, and services that are real.

Run by ``make test``. It never fails: where something cannot be had, the tests that need
it say so themselves and are skipped, or fail where ``CI`` is set.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OIDC = Path(__file__).parent / "services" / "oidc"
JUPYTERHUB = Path(__file__).parent / "services" / "jupyterhub"
#: Debian's own start script changes the user and the folder; this one does neither.
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
REDMINE = Path("/usr/share/redmine")
REDMINE_FOR_TESTS = Path(__file__).parent / "services" / "redmine"
OLDEST_NODE = 20
PATIENCE_SECONDS = 600


def main() -> None:
    """Do each step and print one line about it."""
    for name, step in (
        ("chromium", set_up_chromium),
        ("oidc-provider", set_up_oidc_provider),
        ("jupyterhub", set_up_jupyterhub),
        ("rabbitmq-server", set_up_rabbitmq),
        ("redmine", set_up_redmine),
        ("nginx and wrk", set_up_measuring),
    ):
        print(f"{name}: {step()}", flush=True)


def find_chromium() -> str:
    """Return the path of a Chromium on this machine, or nothing."""
    named = os.environ.get("CHROMIUM", "")
    if named and Path(named).exists():
        return named
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if (path := Path("/usr/bin") / name).exists():
            return str(path)
    return _playwright_chromium()


def oidc_provider_is_there() -> bool:
    return _has_node() and (OIDC / "node_modules" / "oidc-provider").is_dir()


def jupyterhub_is_there() -> bool:
    proxy = JUPYTERHUB / "node_modules" / "configurable-http-proxy"
    return _has_node() and proxy.is_dir() and (JUPYTERHUB / "venv" / "ready").exists()


def redmine_is_there() -> bool:
    return (REDMINE / "config.ru").exists() and shutil.which("ruby") is not None


def set_up_chromium() -> str:
    if found := find_chromium():
        return found
    problem = _apt_get("chromium")
    if not find_chromium():
        problem = _run(sys.executable, "-m", "playwright", "install", "chromium") or problem
    return find_chromium() or f"not here, the browser tests are skipped ({problem})"


def set_up_oidc_provider() -> str:
    if problem := _node_modules(OIDC):
        return f"not here, its tests are skipped ({problem})"
    return str(OIDC / "node_modules" / "oidc-provider")


def set_up_jupyterhub() -> str:
    if problem := _node_modules(JUPYTERHUB) or _venv(JUPYTERHUB):
        return f"not here, its tests are skipped ({problem})"
    return str(JUPYTERHUB / "venv")


def set_up_rabbitmq() -> str:
    problem = "" if RABBITMQ.exists() else _apt_get("rabbitmq-server")
    return str(RABBITMQ) if RABBITMQ.exists() else f"not here, its tests are skipped ({problem})"


def set_up_redmine() -> str:
    problem = "" if redmine_is_there() else _apt_get("redmine", "redmine-sqlite")
    return str(REDMINE) if redmine_is_there() else f"not here, its tests are skipped ({problem})"


def set_up_measuring() -> str:
    """Have what ``make bench`` measures calls with (tests/bench/proxy_calls.py)."""

    def is_there() -> bool:
        return bool(shutil.which("nginx", path="/usr/sbin:/usr/bin") and shutil.which("wrk"))

    problem = "" if is_there() else _apt_get("nginx-light", "wrk")
    return "here" if is_there() else f"not here, calls are not measured ({problem})"


def _node_modules(folder: Path) -> str:
    """Install what the folder's package-lock.json names; return what went wrong."""
    if not _has_node() or shutil.which("npm") is None:
        return f"they need Node {OLDEST_NODE} and npm"
    if _is_newer(folder / "node_modules" / ".package-lock.json", folder / "package-lock.json"):
        return ""
    return _run("npm", "ci", "--no-audit", "--no-fund", "--prefix", str(folder))


def _venv(folder: Path) -> str:
    """Install what the folder's requirements.txt names, apart from ours; return what went wrong."""
    venv, requirements = folder / "venv", folder / "requirements.txt"
    ready, python = venv / "ready", venv / "bin" / "python"
    if python.exists() and _is_newer(ready, requirements):
        return ""
    uv = str(Path(sys.executable).with_name("uv"))
    problem = _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)) or _run(
        *(uv, "pip", "install", "--quiet", "--python", str(python)),
        *("--require-hashes", "--requirements", str(requirements)),
    )
    if not problem:
        ready.touch()
    return problem


def _is_newer(made: Path, lock: Path) -> bool:
    return made.exists() and made.stat().st_mtime >= lock.stat().st_mtime


def _has_node() -> bool:
    if shutil.which("node") is None:
        return False
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)", said.stdout)
    return version is not None and int(version[1]) >= OLDEST_NODE


def _playwright_chromium() -> str:
    """Return where Playwright keeps the browser that it has installed itself, or nothing."""
    from playwright.sync_api import sync_playwright  # slow to import, and seldom needed

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else ""


def _apt_get(*packages: str) -> str:
    """Install some of Debian's packages; return what went wrong."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return "installing it needs apt-get and root"
    _run("apt-get", "update")  # some of it may fail and the package still be there
    return _run("apt-get", "install", "--yes", "--no-install-recommends", *packages)


def _run(*command: str) -> str:
    """Run a command; return nothing, or what went wrong in one line."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        finished = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if finished.returncode == 0:
        return ""
    lines = (finished.stderr or finished.stdout).strip().splitlines()
    return lines[-1] if lines else f"{command[0]} ended with {finished.returncode}"


if __name__ == "__main__":
    main()
