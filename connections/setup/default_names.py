"""Default names, link names and account labels of connections."""

from __future__ import annotations

import itertools

from connections.models import Connection
from connectors.definitions.schema import Connector
from console.applications.link_names import free_link_name
from console.applications.models import Application


def default_name(application: Application, connector: Connector) -> str:
    """Return ``<Service> Connection``, with the first free number from 2 if that name is taken."""
    base = f"{connector.name[:35]} Connection"
    rows = Connection.objects.created().filter(application=application)
    names, link_names = set(), set()
    for name, link_name in rows.values_list("name", "link_name"):
        names.add(name.casefold())
        link_names.add(link_name)
    return next(
        name
        for name in itertools.chain([base], (f"{base} {n}" for n in itertools.count(2)))
        # A renamed connection keeps its link name, so its number stays taken.
        if name.casefold() not in names
        and free_link_name(name, (), fallback=connector.slug) not in link_names
    )


def default_link_name(application: Application, name: str, connector: Connector) -> str:
    """Return a link name made from the name, unique in the application."""
    taken = Connection.objects.created().filter(application=application)
    return free_link_name(
        name, set(taken.values_list("link_name", flat=True)), fallback=connector.slug
    )


def default_label(connector: Connector, used: set[str]) -> str:
    """Return ``<Service> Account <n>``, for services that do not report an account name."""
    return next(
        label
        for number in itertools.count(1)
        if (label := f"{connector.name} Account {number}") not in used
    )


def is_default_label(label: str, connector: Connector) -> bool:
    """Tell whether a label was made by :func:`default_label`, not chosen by a person."""
    number = label.removeprefix(f"{connector.name} Account ")
    return number != label and number.isdecimal()
