"""The environment of a console that nobody has configured yet: everything under ``var/``.

Only ``manage.py`` comes here, and only where ``SECRET_KEY`` is not set. A server
process (``console.asgi``) never does: it refuses to start without a configuration.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

from console.demo.private_files import make_private

ROOT = Path(__file__).resolve().parents[2]


def demo_folder() -> Path:
    """Return the folder that holds everything the demo makes (``VAR_DIR``, else ``var/``)."""
    return Path(os.environ.get("VAR_DIR", ROOT / "var")).resolve()


def use_demo_environment() -> None:
    """Set what is not set yet; keys are made once and kept in the demo folder."""
    folder = demo_folder()
    make_private(folder)
    port = os.environ.get("PORT", "8000")
    sandbox_port = os.environ.get("SANDBOX_PORT", "9000")
    defaults = {
        "VAR_DIR": str(folder),
        "SECRET_KEY": _kept(folder / "secret_key", lambda: secrets.token_urlsafe(50)),
        "CRYPTOGRAPHY_KEYS": _kept(
            folder / "cryptography_keys", lambda: Fernet.generate_key().decode()
        ),
        "DEMO_PASSWORD": _kept(folder / "demo_password", lambda: secrets.token_urlsafe(9)),
        "DATABASE_URL": f"sqlite:///{folder / 'console.sqlite3'}",
        "STATIC_ROOT": str(folder / "static"),
        "PUBLIC_URL": f"http://localhost:{port}",
        "EMAIL_URL": "consolemail://",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "SANDBOX_URL": f"http://localhost:{sandbox_port}",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    # Whoever adds a host of their own keeps the sandbox.
    hosts = os.environ.get("ALLOWED_PRIVATE_HOSTS", "").split(",")
    hosts += [urlsplit(os.environ["SANDBOX_URL"]).netloc]
    os.environ["ALLOWED_PRIVATE_HOSTS"] = ",".join(dict.fromkeys(filter(None, hosts)))
    print(f"SECRET_KEY is not set: using the demo under {folder}.", file=sys.stderr)


def _kept(path: Path, make) -> str:
    """Return what the file holds; make it first."""
    if not path.exists():
        path.write_text(make())
    return path.read_text().strip()
