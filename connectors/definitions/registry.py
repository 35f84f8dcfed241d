"""The registry of connectors that this console offers, read once from the catalogue."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from django.conf import settings

from connectors.definitions.cache import load_catalogue
from connectors.definitions.loader import DefinitionFaults
from connectors.definitions.schema import Check, Connector

CATALOGUE = Path(__file__).parents[1] / "catalogue"
#: Used in place of SANDBOX_URL if that is not set.
DEFAULT_SANDBOX_URL = "http://localhost:9000"
#: The difflib ratio of two words that differ by one typo in six letters.
MIN_SIMILARITY = 0.75


class UnknownConnector(LookupError):
    """No connector has this slug; the message suggests similar ones."""


def constants() -> Mapping[str, str]:
    """Return the values of slots that depend on the deployment."""
    return {"sandbox_url": settings.SANDBOX_URL or DEFAULT_SANDBOX_URL}


def folders() -> tuple[Path, ...]:
    """Return the folders with definitions: the built-in one, then EXTRA_CATALOGUES."""
    return (CATALOGUE, *map(Path, settings.EXTRA_CATALOGUES))


@cache
def get_connectors() -> Mapping[str, Connector]:
    """Return all connectors by slug, in order of their names.

    Raise ``DefinitionFaults`` with all faults of all files: the console does not start with an
    incomplete catalogue. The sandbox connectors are included only if ``SANDBOX_URL`` is set. A file
    in ``EXTRA_CATALOGUES`` overrides an earlier one with the same name.
    """
    connectors, faults = load_catalogue(folders(), constants())
    if faults:
        raise DefinitionFaults(faults)
    offered = [c for c in connectors.values() if settings.SANDBOX_URL or not c.sandbox]
    return MappingProxyType({c.slug: c for c in sorted(offered, key=lambda c: c.name.lower())})


def get_connector(slug: str) -> Connector:
    """Return the connector with this slug; raise ``UnknownConnector``."""
    try:
        return get_connectors()[slug]
    except KeyError:
        similar = difflib.get_close_matches(slug, get_connectors(), cutoff=MIN_SIMILARITY)
        hint = f" Did you mean {' or '.join(similar)}?" if similar else ""
        raise UnknownConnector(f"There is no connector {slug!r} here.{hint}") from None


def connector_or_placeholder(slug: str) -> Connector:
    """Return the connector with this slug, or a placeholder if it left the catalogue."""
    try:
        return get_connector(slug)
    except UnknownConnector:
        return Connector(
            slug=slug,
            name=slug,
            category="",
            summary="This service is no longer in the catalogue of this console.",
            documentation="",
            sources=(),
            read_on="",
            api_base_url="",
            check=Check(),
        )


def categories() -> list[str]:
    """Return the categories that have connectors."""
    return sorted({connector.category for connector in get_connectors().values()})
