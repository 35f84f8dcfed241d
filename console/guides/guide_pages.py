"""The guides in docs/guides/, which ship with the console, as pages and as searchable sections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from django.conf import settings
from django.utils.text import slugify
from markdown_it import MarkdownIt
from markdown_it.token import Token

#: The guides in the order of their list.
SLUGS = ("person", "developer", "super-admin", "client", "operator", "nginx", "adding-a-connector")
_GUIDE_LINK = re.compile(r"(?P<slug>[-a-z]+)\.md(?P<anchor>#.*)?")


@dataclass(frozen=True, kw_only=True)
class GuideSection:
    """One section of a guide: the text below a heading, until the next heading."""

    anchor: str
    heading: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Guide:
    """A guide; ``html`` is its content without the title."""

    slug: str
    title: str
    html: str
    sections: tuple[GuideSection, ...]


@cache
def get_guides() -> Mapping[str, Guide]:
    """Return the guides by slug. They are read once: they change only with the console."""
    folder = Path(settings.BASE_DIR, "docs", "guides")
    files = {slug: folder / f"{slug}.md" for slug in SLUGS}
    return {
        slug: _parse(slug, file.read_text(encoding="utf-8"))
        for slug, file in files.items()
        if file.exists()
    }


def _parse(slug: str, text: str) -> Guide:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    title, tokens = _text_of(tokens[1]), tokens[3:]
    _set_anchors(tokens)
    for token in tokens:
        if token.children:
            token.children = list(_inside(token.children))
    return Guide(
        slug=slug,
        title=title,
        # Our own file, and Markdown without HTML.
        html=_accessible(markdown.renderer.render(tokens, markdown.options, {})),
        sections=tuple(_sections(tokens, title)),
    )


def _accessible(html: str) -> str:
    """Let the keyboard scroll wide examples, and leave no table head empty."""
    return html.replace("<pre>", '<pre tabindex="0">').replace("<th></th>", "<td></td>")


def _set_anchors(tokens: Sequence[Token]) -> None:
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", slugify(_text_of(inline)))


def _inside(tokens: Sequence[Token]) -> Iterator[Token]:
    """Leave out pictures, and links to pages that are not in the console."""
    dropped = False
    for token in tokens:
        if token.type == "image":
            continue
        if token.type == "link_open":
            url = _url(str(token.attrGet("href")))
            dropped = not url
            token.attrSet("href", url)
        if token.type in ("link_open", "link_close") and dropped:
            continue
        yield token


def _url(href: str) -> str:
    """Return where a link leads in the console, or ``""``. Guides are beside each other."""
    if href.startswith(("#", "http://", "https://")):
        return href
    match = _GUIDE_LINK.fullmatch(href)
    return f"../{match['slug']}/{match['anchor'] or ''}" if match and match["slug"] in SLUGS else ""


def _sections(tokens: Sequence[Token], title: str) -> Iterator[GuideSection]:
    anchor, heading, words = "", title, list[str]()
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and following:
            if words:
                yield GuideSection(anchor=anchor, heading=heading, text=" ".join(words))
            anchor, heading, words = str(token.attrGet("id")), _text_of(following), []
        elif token.type == "inline":
            words.append(_text_of(token))
        elif token.type in ("fence", "code_block"):
            words.append(token.content)
    yield GuideSection(anchor=anchor, heading=heading, text=" ".join(words))


def _text_of(token: Token) -> str:
    return "".join(
        " " if child.type == "softbreak" else child.content
        for child in token.children or []
        if child.type != "image"
    )
