"""Install what the tests need beside Python packages: a browser, services and linters.

``make test`` runs this. It never fails: tests whose service is missing are skipped with the
reason, or fail where ``CI`` is set.

An installation may be interrupted at any moment. Each one therefore leaves a mark as its last
step: a copy of its lock, or the mark of the package manager. Without the mark it starts again.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent
OIDC = HERE / "services" / "oidc"
JUPYTERHUB = HERE / "services" / "jupyterhub"
LINT = HERE / "lint"
LIGHTHOUSE = HERE / "lighthouse"
#: Debian's own start script changes the user and the folder; this one does neither.
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
REDMINE = Path("/usr/share/redmine")
REDMINE_FOR_TESTS = HERE / "services" / "redmine"
LUA_MODULE = Path("/usr/lib/nginx/modules/ngx_http_lua_module.so")
NGINX_WITH_LUA = ("nginx", "libnginx-mod-http-lua", "lua-cjson")
OLDEST_NODE = 20
TIMEOUT_SECONDS = 600


def main() -> None:
    """Run each step and print its result."""
    for name, step in (
        ("chromium", set_up_chromium),
        ("oidc-provider", set_up_oidc_provider),
        ("jupyterhub", set_up_jupyterhub),
        ("rabbitmq-server", set_up_rabbitmq),
        ("redmine", set_up_redmine),
        ("nginx and wrk", set_up_measuring),
        ("nginx with Lua", set_up_nginx_with_lua),
        ("eslint and stylelint", set_up_lint),
    ):
        print(f"{name}: {step()}", flush=True)


def find_chromium() -> str:
    """Return the path of a Chromium on this machine, or an empty string."""
    named = os.environ.get("CHROMIUM", "")
    if named and Path(named).exists():
        return named
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if (path := Path("/usr/bin") / name).exists() and not _is_half_installed(name):
            return str(path)
    return _playwright_chromium()


def oidc_provider_is_there() -> bool:
    return _has_node() and node_modules_are_complete(OIDC)


def jupyterhub_is_there() -> bool:
    return _has_node() and node_modules_are_complete(JUPYTERHUB) and venv_is_complete(JUPYTERHUB)


def redmine_is_there() -> bool:
    return (
        (REDMINE / "config.ru").exists()
        and shutil.which("ruby") is not None
        and not _is_half_installed("redmine")
    )


def rabbitmq_is_there() -> bool:
    return RABBITMQ.exists() and not _is_half_installed("rabbitmq-server")


def node_modules_are_complete(folder: Path) -> bool:
    """Tell whether everything in the folder's ``package-lock.json`` is installed."""
    return is_same(_node_modules_mark(folder), folder / "package-lock.json")


def venv_is_complete(folder: Path) -> bool:
    """Tell whether everything in the folder's ``requirements.txt`` is installed, and runs."""
    python = folder / "venv" / "bin" / "python"
    return is_same(_venv_mark(folder), folder / "requirements.txt") and not _run(
        str(python), "-c", ""
    )


def is_same(mark: Path, lock: Path) -> bool:
    """Compare the copy of a lock, the last thing that an installation writes, with the lock."""
    return mark.exists() and mark.read_bytes() == lock.read_bytes()


def set_up_chromium() -> str:
    if found := find_chromium():
        return found
    problem = _apt_get("chromium")
    if not find_chromium():
        problem = _run(sys.executable, "-m", "playwright", "install", "chromium") or problem
    return find_chromium() or f"missing, the browser tests are skipped ({problem})"


def set_up_oidc_provider() -> str:
    if problem := install_node_modules(OIDC):
        return f"missing, its tests are skipped ({problem})"
    return str(OIDC / "node_modules" / "oidc-provider")


def set_up_jupyterhub() -> str:
    if problem := install_node_modules(JUPYTERHUB) or install_venv(JUPYTERHUB):
        return f"missing, its tests are skipped ({problem})"
    return str(JUPYTERHUB / "venv")


def set_up_rabbitmq() -> str:
    problem = "" if rabbitmq_is_there() else _apt_get("rabbitmq-server")
    return str(RABBITMQ) if rabbitmq_is_there() else f"missing, its tests are skipped ({problem})"


def set_up_redmine() -> str:
    problem = "" if redmine_is_there() else _apt_get("redmine", "redmine-sqlite")
    return str(REDMINE) if redmine_is_there() else f"missing, its tests are skipped ({problem})"


def set_up_measuring() -> str:
    """Install what ``make bench`` measures proxied calls with (tests/bench/proxy_calls.py)."""

    def is_there() -> bool:
        nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
        return bool(nginx and shutil.which("wrk")) and not _is_half_installed("nginx-light", "wrk")

    problem = "" if is_there() else _apt_get("nginx-light", "wrk")
    return "installed" if is_there() else f"missing, proxied calls are not measured ({problem})"


def nginx_with_lua_is_there() -> bool:
    return LUA_MODULE.exists() and not _is_half_installed(*NGINX_WITH_LUA)


def set_up_nginx_with_lua() -> str:
    """Install what the nginx path needs (``docs/guides/nginx.md``)."""
    problem = "" if nginx_with_lua_is_there() else _apt_get(*NGINX_WITH_LUA)
    is_there = nginx_with_lua_is_there()
    return str(LUA_MODULE) if is_there else f"missing, its tests are skipped ({problem})"


def set_up_lint() -> str:
    if problem := install_node_modules(LINT):
        return f"missing, scripts and styles are not linted ({problem})"
    return str(LINT / "node_modules")


def set_up_lighthouse() -> str:
    """Install Lighthouse, which only ``make lighthouse`` needs; return an error, if any."""
    return install_node_modules(LIGHTHOUSE)


def install_node_modules(folder: Path) -> str:
    """Install the packages of the folder's ``package-lock.json``; return an error, if any."""
    if not _has_node() or shutil.which("npm") is None:
        return f"this needs Node {OLDEST_NODE} and npm"
    if node_modules_are_complete(folder):
        return ""
    # npm first removes what is there, the mark included.
    problem = _run("npm", "ci", "--no-audit", "--no-fund", "--prefix", str(folder))
    if not problem:
        shutil.copyfile(folder / "package-lock.json", _node_modules_mark(folder))
    return problem


def install_venv(folder: Path) -> str:
    """Install the folder's ``requirements.txt`` into a venv of its own; return an error, if any."""
    if venv_is_complete(folder):
        return ""
    venv, requirements = folder / "venv", folder / "requirements.txt"
    uv = str(Path(sys.executable).with_name("uv"))
    problem = _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)) or _run(
        *(uv, "pip", "install", "--quiet", "--python", str(venv / "bin" / "python")),
        *("--require-hashes", "--requirements", str(requirements)),
    )
    if not problem:
        shutil.copyfile(requirements, _venv_mark(folder))
    return problem


def _node_modules_mark(folder: Path) -> Path:
    return folder / "node_modules" / ".installed.json"


def _venv_mark(folder: Path) -> Path:
    return folder / "venv" / "installed.txt"


def _has_node() -> bool:
    if shutil.which("node") is None:
        return False
    result = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)", result.stdout)
    return version is not None and int(version[1]) >= OLDEST_NODE


def _playwright_chromium() -> str:
    """Return the path of the Chromium that Playwright has installed, or an empty string."""
    from playwright.sync_api import sync_playwright  # slow to import, and seldom needed

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    # Playwright writes this file when a browser is complete, and installs it again without it.
    is_complete = any((folder / "INSTALLATION_COMPLETE").exists() for folder in path.parents)
    return str(path) if path.exists() and is_complete else ""


def _is_half_installed(*packages: str) -> bool:
    """Tell whether dpkg was interrupted while it installed one of Debian's packages."""
    return bool(_statuses(packages) & {"half-installed", "unpacked", "half-configured"})


def _statuses(packages: Iterable[str]) -> set[str]:
    if shutil.which("dpkg-query") is None:
        return set()
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}\n", *packages]
    result = subprocess.run(query, capture_output=True, text=True, check=False)
    return set(result.stdout.splitlines())


def _apt_get(*packages: str) -> str:
    """Install packages of Debian; return an error, if any."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return "installing it needs apt-get and root"
    _run("dpkg", "--configure", "-a")  # finishes what an interrupted run has left
    _run("apt-get", "update")  # may fail in part, and the package still be there
    return _run("apt-get", "install", "--yes", "--fix-broken", "--no-install-recommends", *packages)


def _run(*command: str) -> str:
    """Run a command; return an empty string, or its error in one line."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        result = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if result.returncode == 0:
        return ""
    lines = (result.stderr or result.stdout).strip().splitlines()
    return lines[-1] if lines else f"{command[0]} ended with {result.returncode}"


if __name__ == "__main__":
    main()
