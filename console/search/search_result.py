"""What a search finds: results in groups, each with its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: The most rows of a kind that one search reads; beyond it, the number is shown as "50+".
MOST = 50
#: The longest query, in characters and in words; the rest is ignored.
MAX_QUERY_LENGTH = 100
MAX_WORDS = 6


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """One thing that was found. ``connector`` has a logo; otherwise ``icon`` is shown."""

    title: str
    url: str
    note: str = ""
    icon: str = "search"
    connector: Any = None
    #: Only actions: the URL takes a POST, or the script of the palette switches the theme.
    is_post: bool = False
    theme: str = ""


@dataclass(frozen=True, kw_only=True)
class SearchGroup:
    """The results of one kind, best first."""

    kind: str
    label: str
    results: Sequence[SearchResult]
    #: A list that is filtered by the same words.
    more_url: str = ""

    @property
    def count(self) -> str:
        """Return the number of results as the page shows it."""
        return f"{MOST}+" if len(self.results) > MOST else str(len(self.results))


def words_of(query: str) -> list[str]:
    """Return the words of a query, in lower case."""
    return query.replace("\0", "")[:MAX_QUERY_LENGTH].lower().split()[:MAX_WORDS]


def rank(words: Sequence[str], title: str, text: str = "") -> float:
    """Rank a text for a search: 0 unless it has all words; higher if the title starts with them."""
    title, text = title.lower(), text.lower()
    if not all(word in title or word in text for word in words):
        return 0
    starts = title.split()
    points = sum(
        3 if any(start.startswith(word) for start in starts) else 2 if word in title else 1
        for word in words
    )
    return points + (1 if title.startswith(" ".join(words)) else 0)
