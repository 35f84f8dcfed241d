"""Hook of the documentation site: links to files of the repository outside ``docs/``.

The site holds only ``docs/``. A link to another file, such as ``../../CHANGELOG.md``, is shown as
the path of the file. A link to a file that does not exist stays, and fails the strict build.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>\.\./[^)#\s]+)(?:#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Any, **kwargs: Any) -> str:
    folder = (DOCS / page.file.src_uri).parent

    def replace(match: re.Match[str]) -> str:
        target = (folder / match["target"]).resolve()
        if target.is_relative_to(DOCS) or not target.exists():
            return match[0]
        path = target.relative_to(ROOT).as_posix()
        return f"{match['text'].strip('`')} (`{path}`)" if match["text"] != path else f"`{path}`"

    return LINK.sub(replace, markdown)
