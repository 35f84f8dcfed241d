"""Build the style sheet from Tabler and everything that may use its classes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import django.forms
from django.apps import apps
from django.conf import settings
from django.template.engine import Engine
from django.template.utils import get_app_template_dirs

from console.stylesheet.subset import subset
from console.stylesheet.used_names import read_names

_HERE = Path(__file__).parent
TABLER = _HERE / "tabler" / "tabler.min.css"
#: The path of the style sheet among the static files.
NAME = "console/tabler.css"
_CHARSET = '@charset "UTF-8";'
#: Folders of Python files that render no page.
_WITHOUT_PAGES = frozenset({"management", "migrations", _HERE.name})


def build() -> Path:
    """Return the folder that holds the style sheet; build it if one of its sources has changed."""
    current = _fingerprint()
    folder = _folder()
    built, stamp = folder / NAME, folder / "sources.sha256"
    if not (built.exists() and stamp.exists() and stamp.read_text() == current):
        built.parent.mkdir(parents=True, exist_ok=True)
        _write(built, _css())
        _write(stamp, current)
    return folder


def own_files() -> Iterator[Path]:
    """Yield the templates, Python files, scripts and style sheets of this project."""
    for folder in Engine.get_default().dirs:
        yield from Path(folder).rglob("*.html")
    for app in apps.get_app_configs():
        # A package of this project; its other applications are below one of these.
        if (package := Path(app.path)).parent == settings.BASE_DIR:
            for file in package.rglob("*.py"):
                if _WITHOUT_PAGES.isdisjoint(file.relative_to(package).parts):
                    yield file
    static = settings.BASE_DIR / "static" / "console"
    yield from chain(static.rglob("*.js"), static.rglob("*.css"))


def installed_templates() -> Iterator[Path]:
    """Yield the templates of installed packages and of Django's widgets."""
    widgets = Path(django.forms.__file__).parent / "templates"
    for folder in (*get_app_template_dirs("templates"), widgets):
        yield from Path(folder).rglob("*.html")


def _css() -> str:
    tabler = TABLER.read_text(encoding="utf-8")
    # The subset has no comments, and the license asks for this one.
    comment = tabler[tabler.index("/*!") : tabler.index("*/") + 2]
    css = subset(tabler, read_names(own_files(), installed_templates()))
    return f"{_CHARSET}{comment}{css.removeprefix(_CHARSET)}\n"


def _fingerprint() -> str:
    """Return a hash of everything that the style sheet is built from, and of what builds it."""
    result = hashlib.sha256()
    for path in sorted({TABLER, *_HERE.glob("*.py"), *own_files(), *installed_templates()}):
        result.update(f"{path}\0".encode())
        result.update(hashlib.sha256(path.read_bytes()).digest())
    return result.hexdigest()


@cache
def _folder() -> Path:
    """Return the folder for what is built, or a temporary one where that cannot be written."""
    folder: Path = settings.BASE_DIR / "var" / "stylesheet"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return _temporary_folder()
    return folder if os.access(folder, os.W_OK) else _temporary_folder()


def _temporary_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="stylesheet-"))


def _write(path: Path, text: str) -> None:
    """Replace a file at once: another process may read it."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    Path(file.name).replace(path)
