"""Environment variables of the demo: a console without configuration, with all files in ``var/``.

``manage.py`` uses this when ``SECRET_KEY`` is not set. A server process (``console.asgi``)
never does: it does not start without a configuration.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

from console.demo.private_files import make_private

ROOT = Path(__file__).resolve().parents[2]


def demo_folder() -> Path:
    """Return the folder of all files of the demo (``VAR_DIR``, by default ``var/``)."""
    return Path(os.environ.get("VAR_DIR", ROOT / "var")).resolve()


def use_demo_environment() -> None:
    """Set the variables that are not set yet. Keys are generated once, in the demo's folder."""
    folder = demo_folder()
    make_private(folder)
    port = os.environ.get("PORT", "8000")
    sandbox_port = os.environ.get("SANDBOX_PORT", "9000")
    defaults = {
        "VAR_DIR": str(folder),
        "SECRET_KEY": _read_or_create(folder / "secret_key", lambda: secrets.token_urlsafe(50)),
        "CRYPTOGRAPHY_KEYS": _read_or_create(
            folder / "cryptography_keys", lambda: Fernet.generate_key().decode()
        ),
        "DEMO_PASSWORD": _read_or_create(
            folder / "demo_password", lambda: secrets.token_urlsafe(9)
        ),
        "DATABASE_URL": f"sqlite:///{folder / 'console.sqlite3'}",
        "STATIC_ROOT": str(folder / "static"),
        "PUBLIC_URL": f"http://localhost:{port}",
        "EMAIL_URL": "consolemail://",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "SANDBOX_URL": f"http://localhost:{sandbox_port}",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    # Added to the hosts in the environment, so that the sandbox always works.
    hosts = os.environ.get("ALLOWED_PRIVATE_HOSTS", "").split(",")
    hosts += [urlsplit(os.environ["SANDBOX_URL"]).netloc]
    os.environ["ALLOWED_PRIVATE_HOSTS"] = ",".join(dict.fromkeys(filter(None, hosts)))
    print(f"SECRET_KEY is not set: using the demo under {folder}.", file=sys.stderr)


def _read_or_create(path: Path, generate: Callable[[], str]) -> str:
    """Return the content of a file; generate it where there is no file."""
    if not path.exists():
        path.write_text(generate())
    return path.read_text().strip()
