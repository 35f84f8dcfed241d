"""Find connectors by what a person types: names, aliases and categories, mistakes forgiven."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.definitions.registry import ALIKE, get_connectors
from connectors.definitions.schema import Connector

#: A word so short is like too many others.
_SHORTEST = 4
#: Nobody names a service by more words than this.
#: No name is longer; what is typed beyond it finds nothing.
_LONGEST = 200
_MOST_WORDS = 8


@dataclass(frozen=True, kw_only=True)
class _Card:
    """What a connector is found by, in lower case."""

    connector: Connector
    name: str
    names: tuple[str, ...]
    aliases: tuple[str, ...]
    known: str

    def rank(self, word: str) -> int:
        """Rank the connector by one word: 4 begins its name, 3 an alias, 2 is in either."""
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


#: The cards of the catalogue that they were made from, once for each process.
_made: tuple[Mapping[str, Connector], list[_Card]] | None = None


def _cards() -> list[_Card]:
    global _made
    connectors = get_connectors()
    if _made is None or _made[0] is not connectors:
        _made = connectors, [_card(connector) for connector in connectors.values()]
    return _made[1]


def search(query: str = "", category: str = "", auth_type: str = "") -> list[Connector]:
    """Find connectors, the best match first, and those that match as well by name."""
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
    """Return the words that somebody may have meant, and how sure that is.

    Only where nothing in the catalogue holds the word as it was typed is it a mistake.
    """
    cards = _cards()
    if len(word) < _SHORTEST or any(word in card.known for card in cards):
        return {word: 1}
    # One letter more or less than was typed: people stop in the middle of a name.
    beginnings = {known[: len(word) + 1] for card in cards for known in card.known.split()}
    near = difflib.get_close_matches(word, beginnings, n=20, cutoff=ALIKE)
    return {other: difflib.SequenceMatcher(None, word, other).ratio() for other in near}
