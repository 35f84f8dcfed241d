"""Search connectors by name, alias and category; typos are tolerated."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.definitions.registry import MIN_SIMILARITY, get_connectors
from connectors.definitions.schema import Connector

#: Shorter words are similar to too many others.
_MIN_TYPO_LENGTH = 4
#: The longest query, in characters and in words; the rest is ignored.
_MAX_QUERY_LENGTH = 200
_MAX_WORDS = 8


@dataclass(frozen=True, kw_only=True)
class _IndexEntry:
    """The searchable text of a connector, in lower case."""

    connector: Connector
    name: str
    name_words: tuple[str, ...]
    aliases: tuple[str, ...]
    text: str

    def rank(self, word: str) -> int:
        """Rank the connector for a word: 4 starts its name, 3 starts an alias, 2 is in either."""
        if any(name.startswith(word) for name in self.name_words):
            return 4
        if any(alias.startswith(word) for alias in self.aliases):
            return 3
        return 2 if word in self.text else 0


def _index_entry(connector: Connector) -> _IndexEntry:
    name = connector.name.lower()
    aliases = " ".join(connector.aliases).lower()
    return _IndexEntry(
        connector=connector,
        name=name,
        name_words=tuple(name.split()),
        aliases=tuple(aliases.split()),
        text=f"{name} {aliases} {connector.slug} {connector.category.lower()}",
    )


#: The catalogue, and its index, built once for each process.
_index: tuple[Mapping[str, Connector], list[_IndexEntry]] | None = None


def _index_entries() -> list[_IndexEntry]:
    global _index
    connectors = get_connectors()
    if _index is None or _index[0] is not connectors:
        _index = connectors, [_index_entry(connector) for connector in connectors.values()]
    return _index[1]


def search(query: str = "", category: str = "", auth_type: str = "") -> list[Connector]:
    """Return matching connectors, best match first, then by name."""
    entries = [
        entry
        for entry in _index_entries()
        if (not category or entry.connector.category == category)
        and (not auth_type or auth_type in entry.connector.auth_types)
    ]
    query_words = query[:_MAX_QUERY_LENGTH].lower().split()[:_MAX_WORDS]
    likely = [_likely_words(word) for word in query_words]
    start = " ".join(query_words)
    found = [
        (-rank, not entry.name.startswith(start), position, entry.connector)
        for position, entry in enumerate(entries)
        if (rank := min((_best_rank(entry, words) for words in likely), default=1))
    ]
    return [connector for *_, connector in sorted(found, key=lambda entry: entry[:3])]


def _best_rank(entry: _IndexEntry, words: Mapping[str, float]) -> float:
    return max((entry.rank(word) * similarity for word, similarity in words.items()), default=0)


def _likely_words(word: str) -> Mapping[str, float]:
    """Return the words that may be meant, with their similarity.

    The word counts as a typo only if nothing in the catalogue contains it.
    """
    entries = _index_entries()
    if len(word) < _MIN_TYPO_LENGTH or any(word in entry.text for entry in entries):
        return {word: 1}
    return similar_words(word, (text for entry in entries for text in entry.text.split()))


def similar_words(word: str, vocabulary: Iterable[str]) -> Mapping[str, float]:
    """Return the words of which this one may be a misspelling, with their similarity."""
    if len(word) < _MIN_TYPO_LENGTH:
        return {}
    # Compare with beginnings too, because people stop in the middle of a name.
    beginnings = {text[: len(word) + 1] for text in vocabulary}
    similar = difflib.get_close_matches(word, beginnings, n=20, cutoff=MIN_SIMILARITY)
    return {other: difflib.SequenceMatcher(None, word, other).ratio() for other in similar}
