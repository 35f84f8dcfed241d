"""How connections are named when nobody has typed a name."""

from __future__ import annotations

import itertools
import re

from django.utils.text import slugify

from connections.models import Connection
from connectors.definition import Connector
from console.applications.models import Application


def default_name(application: Application, connector: Connector) -> str:
    """Return ``<Service> Connection``, or with the first free number from 2 on."""
    base = f"{connector.name[:35]} Connection"
    taken = {
        name.casefold()
        for name in Connection.objects.created()
        .filter(application=application, name__istartswith=base)
        .values_list("name", flat=True)
    }
    if base.casefold() not in taken and not _has_any(application, connector):
        return base
    return next(
        name
        for number in itertools.count(2)
        if (name := f"{base} {number}").casefold() not in taken
    )


def default_link_name(application: Application, name: str, connector: Connector) -> str:
    """Return the name in lower case with underscores, made unique in the application."""
    words = slugify(re.sub(r"[^\w\s]", " ", name)).replace("-", "_")
    base = words[:50] if words[:1].isalpha() else f"{connector.slug}_{words}"[:50].rstrip("_")
    taken = set(
        Connection.objects.created()
        .filter(application=application, link_name__startswith=base)
        .values_list("link_name", flat=True)
    )
    if base not in taken:
        return base
    return next(
        link_name for number in itertools.count(2) if (link_name := f"{base}_{number}") not in taken
    )


def default_label(connector: Connector, used: set[str]) -> str:
    """Return ``<Service> Account <n>`` for a service that does not name its accounts."""
    return next(
        label
        for number in itertools.count(1)
        if (label := f"{connector.name} Account {number}") not in used
    )


def _has_any(application: Application, connector: Connector) -> bool:
    return (
        Connection.objects.created()
        .filter(application=application, connector_slug=connector.slug)
        .exists()
    )
