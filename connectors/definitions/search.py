"""Search connectors by name, alias and category; typos are tolerated."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.definitions.registry import ALIKE, get_connectors
from connectors.definitions.schema import Connector

#: Shorter words are similar to too many others.
_SHORTEST = 4
#: The longest query, in characters and in words; the rest is ignored.
_LONGEST = 200
_MOST_WORDS = 8


@dataclass(frozen=True, kw_only=True)
class _Card:
    """The searchable text of a connector, in lower case."""

    connector: Connector
    name: str
    names: tuple[str, ...]
    aliases: tuple[str, ...]
    known: str

    def rank(self, word: str) -> int:
        """Rank the connector for a word: 4 starts its name, 3 starts an alias, 2 is in either."""
        if any(name.startswith(word) for name in self.names):
            return 4
        if any(alias.startswith(word) for alias in self.aliases):
            return 3
        return 2 if word in self.known else 0


def _card(connector: Connector) -> _Card:
    names = connector.name.lower()
    aliases = " ".join(connector.aliases).lower()
    return _Card(
        connector=connector,
        name=names,
        names=tuple(names.split()),
        aliases=tuple(aliases.split()),
        known=f"{names} {aliases} {connector.slug} {connector.category.lower()}",
    )


#: The catalogue, and the cards made from it, once for each process.
_made: tuple[Mapping[str, Connector], list[_Card]] | None = None


def _cards() -> list[_Card]:
    global _made
    connectors = get_connectors()
    if _made is None or _made[0] is not connectors:
        _made = connectors, [_card(connector) for connector in connectors.values()]
    return _made[1]


def search(query: str = "", category: str = "", auth_type: str = "") -> list[Connector]:
    """Return matching connectors, best match first, then by name."""
    cards = [
        card
        for card in _cards()
        if (not category or card.connector.category == category)
        and (not auth_type or auth_type in card.connector.auth_types)
    ]
    typed = query[:_LONGEST].lower().split()[:_MOST_WORDS]
    meant = [_meant(word) for word in typed]
    begins = " ".join(typed)
    found = [
        (-rank, not card.name.startswith(begins), position, card.connector)
        for position, card in enumerate(cards)
        if (rank := min((_best(card, words) for words in meant), default=1))
    ]
    return [connector for *_, connector in sorted(found, key=lambda entry: entry[:3])]


def _best(card: _Card, words: Mapping[str, float]) -> float:
    return max((card.rank(word) * likeness for word, likeness in words.items()), default=0)


def _meant(word: str) -> Mapping[str, float]:
    """Return the words that may be meant, with their similarity.

    The word counts as a typo only if nothing in the catalogue contains it.
    """
    cards = _cards()
    if len(word) < _SHORTEST or any(word in card.known for card in cards):
        return {word: 1}
    # Compare with beginnings too, because people stop in the middle of a name.
    beginnings = {known[: len(word) + 1] for card in cards for known in card.known.split()}
    near = difflib.get_close_matches(word, beginnings, n=20, cutoff=ALIKE)
    return {other: difflib.SequenceMatcher(None, word, other).ratio() for other in near}
