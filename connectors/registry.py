"""The connectors that this console offers, read once from the catalogue."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from django.conf import settings

from connectors.definition import Check, Connector
from connectors.reading import DefinitionFaults, Fault, read_all

CATALOGUE = Path(__file__).parent / "catalogue"
#: Stands in for the sandbox's address where the sandbox is switched off.
ELSEWHERE = "http://localhost:9000"
#: How alike two words are that differ by one mistake in six letters (difflib's ratio).
ALIKE = 0.75


class UnknownConnector(LookupError):
    """No connector has this slug; the message names the nearest ones."""


def constants() -> Mapping[str, str]:
    """Return what fills the slots that belong to the deployment."""
    return {"sandbox_url": settings.SANDBOX_URL or ELSEWHERE}


@cache
def get_connectors() -> Mapping[str, Connector]:
    """Return every connector on offer by slug, in the order of their names.

    Raise ``DefinitionFaults`` with all faults of all files: a console does not start on
    half a catalogue. The sandbox's are on offer only where ``SANDBOX_URL`` is set. A file
    in one of ``EXTRA_CATALOGUES`` takes the place of an earlier one of the same name.
    """
    connectors: dict[str, Connector] = {}
    faults: list[Fault] = []
    for folder in (CATALOGUE, *map(Path, settings.EXTRA_CATALOGUES)):
        read, wrong = read_all(folder, constants())
        connectors |= read
        faults += wrong
    if faults:
        raise DefinitionFaults(tuple(faults))
    offered = [c for c in connectors.values() if settings.SANDBOX_URL or not c.sandbox]
    return MappingProxyType({c.slug: c for c in sorted(offered, key=lambda c: c.name.lower())})


def get_connector(slug: str) -> Connector:
    """Return one connector; raise ``UnknownConnector``."""
    try:
        return get_connectors()[slug]
    except KeyError:
        near = difflib.get_close_matches(slug, get_connectors(), cutoff=ALIKE)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise UnknownConnector(f"There is no connector {slug!r} here.{hint}") from None


def connector_or_gone(slug: str) -> Connector:
    """Return one connector; for a slug that left the catalogue, one that offers nothing."""
    try:
        return get_connector(slug)
    except UnknownConnector:
        return Connector(
            slug=slug,
            name=slug,
            category="",
            summary="This service is not in the catalogue of this console any more.",
            documentation="",
            sources=(),
            read_on="",
            api_base_url="",
            check=Check(),
        )


def categories() -> list[str]:
    """List the categories in which something is on offer."""
    return sorted({connector.category for connector in get_connectors().values()})


def search(query: str = "", category: str = "", auth_type: str = "") -> list[Connector]:
    """Find connectors by what a person types, forgiving a mistake; the best match first."""
    ranked = [
        (rank, connector)
        for connector in get_connectors().values()
        if (not category or connector.category == category)
        and (not auth_type or auth_type in connector.auth_types)
        and (rank := _rank(query.lower().split(), connector))
    ]
    return [connector for _, connector in sorted(ranked, key=lambda pair: -pair[0])]


def _rank(words: list[str], connector: Connector) -> float:
    """Rank a connector by its worst word: 3 begins a name, 2 is in it, 0 is not even like it."""
    names = " ".join((connector.name, *connector.aliases)).lower()
    known = f"{names} {connector.slug} {connector.category.lower()}"
    return min((_word_rank(word, names.split(), known) for word in words), default=1)


def _word_rank(word: str, names: list[str], known: str) -> float:
    if any(name.startswith(word) for name in names):
        return 3
    if word in known:
        return 2
    if len(word) < 4:  # so short a word is like too many others
        return 0
    likeness = max(
        difflib.SequenceMatcher(None, word, other[: len(word) + 1]).ratio()
        for other in known.split()
    )
    return likeness if likeness >= ALIKE else 0
