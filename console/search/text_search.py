"""Search the guides and the API reference, which are the same for everyone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from django.urls import reverse

from connectors.definitions.search import similar_words
from console.guides.guide_pages import get_guides
from console.runtime.api_reference import get_reference
from console.search.search_result import MOST, SearchGroup, SearchResult, rank

#: How many characters of a section are shown around the first word.
SNIPPET = 90


@dataclass(frozen=True, kw_only=True)
class IndexedText:
    """A section of a text: where it is, and what it says. ``lower`` is all of it, lower case."""

    title: str
    note: str
    text: str
    route: str
    arguments: tuple[str, ...] = ()
    anchor: str = ""
    icon: str = "book"
    lower: str

    @property
    def url(self) -> str:
        anchor = f"#{self.anchor}" if self.anchor else ""
        return reverse(self.route, args=self.arguments) + anchor


@cache
def _texts() -> tuple[IndexedText, ...]:
    return (*_guide_texts(), *_api_texts())


@cache
def _vocabulary() -> frozenset[str]:
    return frozenset(word for text in _texts() for word in text.title.lower().split())


def _guide_texts() -> Iterator[IndexedText]:
    for guide in get_guides().values():
        for section in guide.sections:
            yield IndexedText(
                title=section.heading,
                note="" if section.heading == guide.title else guide.title,
                text=section.text,
                route="guide_detail",
                arguments=(guide.slug,),
                anchor=section.anchor,
                lower=f"{section.heading} {guide.title} {section.text}".lower(),
            )


def _api_texts() -> Iterator[IndexedText]:
    for operation in get_reference().operations:
        text = f"{' '.join(operation.methods)} {operation.path} {operation.description}"
        yield IndexedText(
            title=operation.summary,
            note=f"{operation.methods[0]} {operation.path}",
            text=text,
            route="api_reference",
            anchor=operation.anchor,
            icon="code",
            lower=f"{operation.summary} {text}".lower(),
        )
    for problem in get_reference().problems:
        yield IndexedText(
            title=problem.title,
            note=f"{problem.status} {problem.slug}",
            text=f"{problem.meaning} {problem.fix}",
            route="problem_detail",
            arguments=(problem.slug,),
            icon="code",
            lower=f"{problem.title} {problem.slug} {problem.meaning} {problem.fix}".lower(),
        )


def find_texts(words: Sequence[str]) -> SearchGroup:
    """Find sections of the guides, operations of the API, and problem types."""
    found = _matching(words)
    if not found and len(words) == 1 and (similar := similar_words(words[0], _vocabulary())):
        words = [max(similar, key=lambda word: similar[word])]
        found = _matching(words)
    return SearchGroup(
        kind="documentation",
        label="Guides and API reference",
        results=[
            SearchResult(title=text.title, url=text.url, note=_note(text, words), icon=text.icon)
            for text in found[: MOST + 1]
        ],
    )


def _matching(words: Sequence[str]) -> list[IndexedText]:
    # Most texts lack a word, and one comparison finds that out.
    found = [text for text in _texts() if all(word in text.lower for word in words)]
    return sorted(found, key=lambda text: -rank(words, text.title, text.lower))


def _note(text: IndexedText, words: Sequence[str]) -> str:
    """Return where the text is, and the words around the first match."""
    at = next((i for word in words if (i := text.text.lower().find(word)) >= 0), -1)
    if at < 0 or text.icon == "code":
        return text.note
    start = text.text.rfind(" ", 0, max(0, at - SNIPPET // 2)) + 1
    end = text.text.find(" ", at + SNIPPET // 2)
    snippet = text.text[start : end if end > 0 else None]
    shown = f"{'… ' if start else ''}{snippet}{' …' if end > 0 else ''}"
    return f"{text.note}: {shown}" if text.note else shown
