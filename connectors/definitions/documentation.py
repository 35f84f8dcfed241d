"""Describe the catalogue: as JSON values for programs, and as a page for people."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from connectors.definitions.schema import Connector

LEFT_OUT = Path(__file__).parent / "left_out.toml"
AUTH_TYPE_LABELS = {"oauth2": "OAuth 2", "basic": "Basic", "api_key": "API key"}
COLUMNS = (
    "service",
    "authorizes by",
    "levels",
    "scopes",
    "regions and parameters",
    "sources",
    "read on",
)
LEVEL_LABELS = {"administrator": "Administrator", "logged_in_user": "Logged-in User"}


def left_out() -> Mapping[str, Mapping[str, str]]:
    """Return services that are left out (``services``) and missing features (``format``)."""
    return tomllib.loads(LEFT_OUT.read_text(encoding="utf-8"))


def connector_summary(connector: Connector) -> dict[str, Any]:
    """Return a summary of a connector as JSON values."""
    oauth2 = connector.oauth2
    return {
        "slug": connector.slug,
        "name": connector.name,
        "category": connector.category,
        "auth": list(connector.auth_types),
        "levels": list(connector.levels),
        "scopes": len(oauth2.actions) if oauth2 else 0,
        "typed_scopes": bool(oauth2 and oauth2.typed_scopes),
        "pkce": bool(oauth2 and oauth2.pkce),
        "revocable": bool(oauth2 and oauth2.revocation),
        "own_host": connector.own_host,
        "parameters": {p.name: list(p.choices) for p in connector.parameters},
        "documentation": connector.documentation,
        "scopes_documentation": connector.scopes_documentation,
        "sources": list(connector.sources),
        "read_on": connector.read_on,
    }


def catalogue_page(connectors: Iterable[Connector]) -> str:
    """Return ``docs/catalogue.md``: all connectors, services left out, and missing features."""
    offered = [c for c in connectors if not c.sandbox]
    offered.sort(key=lambda c: (c.category, c.name.lower()))
    omitted = left_out()
    auth_types = [
        f"{label} {sum(auth_type in c.auth_types for c in offered)}"
        for auth_type, label in AUTH_TYPE_LABELS.items()
    ]
    lines = [
        "# The catalogue",
        "",
        "<!-- Written by `manage.py check_connectors --markdown`; do not edit. -->",
        "",
        f"{len(offered)} services: {', '.join(auth_types)} (a service may offer several), "
        f"{sum(len(c.oauth2.actions) for c in offered if c.oauth2)} listed scopes. "
        f"{len(omitted['services'])} were left out. The definitions follow the sources on the "
        "day of reading; they were not tested with real accounts. "
        "[How to add one](guides/adding-a-connector.md).",
        "",
    ]
    for category, members in groupby(offered, key=lambda c: c.category):
        lines += [
            f"## {category}",
            "",
            f"| {' | '.join(COLUMNS)} |",
            f"|{'---|' * len(COLUMNS)}",
            *(_row(connector) for connector in members),
            "",
        ]
    lines += ["## Left out, and why", "", "| service | reason |", "|---|---|"]
    lines += [f"| {name} | {_cell(why)} |" for name, why in _sorted(omitted["services"])]
    lines += [
        "",
        "## What the format does not support yet",
        "",
        "| feature | services |",
        "|---|---|",
    ]
    lines += [
        f"| {_cell(feature)} | {_cell(services)} |"
        for feature, services in _sorted(omitted["format"])
    ]
    return "\n".join(lines) + "\n"


def _sorted(table: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(table.items(), key=lambda entry: entry[0].lower())


def _row(connector: Connector) -> str:
    cells = (
        f"[{connector.name}]({connector.documentation})",
        ", ".join(AUTH_TYPE_LABELS[auth_type] for auth_type in connector.auth_types),
        ", ".join(LEVEL_LABELS[level] for level in connector.levels),
        _scopes(connector),
        ", ".join(_parameters(connector)),
        " ".join(_source(n, source) for n, source in enumerate(connector.sources, 1)),
        connector.read_on,
    )
    return f"| {' | '.join(map(_cell, cells))} |"


def _source(number: int, source: str) -> str:
    """Link a page; a package URL is no link, so it is written as text."""
    return source if source.startswith("pkg:") else f"[{number}]({_link_target(source)})"


def _scopes(connector: Connector) -> str:
    if connector.oauth2 is None:
        return ""
    listed = str(len(connector.oauth2.actions) or "none")
    if connector.oauth2.typed_scopes:
        listed += " and typed ones"
    pages = connector.scopes_documentation
    return f"[{listed}]({_link_target(pages)})" if pages else listed


def _parameters(connector: Connector) -> Iterable[str]:
    for parameter in connector.parameters:
        choices = f" ({len(parameter.choices)})" if parameter.choices else ""
        yield f"{parameter.label}{choices}"


def _link_target(url: str) -> str:
    return url.replace("(", "%28").replace(")", "%29").replace(" ", "%20")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
