"""The connectors that this console offers, read once from the catalogue."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from django.conf import settings

from connectors.definitions.cache import read_kept
from connectors.definitions.loader import DefinitionFaults
from connectors.definitions.schema import Check, Connector

CATALOGUE = Path(__file__).parents[1] / "catalogue"
#: Stands in for the sandbox's address where the sandbox is switched off.
ELSEWHERE = "http://localhost:9000"
#: How alike two words are that differ by one mistake in six letters (difflib's ratio).
ALIKE = 0.75


class UnknownConnector(LookupError):
    """No connector has this slug; the message names the nearest ones."""


def constants() -> Mapping[str, str]:
    """Return what fills the slots that belong to the deployment."""
    return {"sandbox_url": settings.SANDBOX_URL or ELSEWHERE}


def folders() -> tuple[Path, ...]:
    """Return where definitions lie: the built-in ones, and then those of the deployment."""
    return (CATALOGUE, *map(Path, settings.EXTRA_CATALOGUES))


@cache
def get_connectors() -> Mapping[str, Connector]:
    """Return every connector on offer by slug, in the order of their names.

    Raise ``DefinitionFaults`` with all faults of all files: a console does not start on
    half a catalogue. The sandbox's are on offer only where ``SANDBOX_URL`` is set. A file
    in one of ``EXTRA_CATALOGUES`` takes the place of an earlier one of the same name.
    """
    connectors, faults = read_kept(folders(), constants())
    if faults:
        raise DefinitionFaults(faults)
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
