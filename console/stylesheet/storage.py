"""Storage for static files: hashed names, minified style sheets, compressed once."""

from __future__ import annotations

from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

from console.stylesheet.minify import minify


class MinifiedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    def _save(self, name: str, content: Any) -> str:
        if name.endswith(".css"):
            css = b"".join(content.chunks()).decode()  # from the beginning: it may be saved twice
            content = ContentFile(minify(css).encode())
        return super()._save(name, content)
