"""Read an application as it is in an environment: Development as edited, the others as released."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from connections.authorizations.connection_state import (
    ConnectionState,
    connection_states,
    installed_connection_states,
)
from connections.models import Connection, InstalledConnection
from connections.models.snapshot import ConnectionSnapshot
from console.accounts.models import Organization
from console.applications.models import Application
from console.choices import Environment
from console.publishing.manifest import Manifest, development_manifest
from console.publishing.models import Release


def release_in_stage(application: Application) -> Release | None:
    """Return the release that is in Stage now."""
    return Release.objects.filter(stages__application=application).first()


def manifest_in(
    application: Application, environment: str, client: Organization | None = None
) -> Manifest:
    """Return the components and connections of the application in an environment.

    In Production they are those of the installation of ``client``. The manifest is empty if
    nothing was published yet, or if the license has ended.
    """
    if environment == Environment.DEVELOPMENT:
        return development_manifest(application)
    if environment == Environment.STAGE:
        release = release_in_stage(application)
    else:
        installations = application.installations.filter(organization=client)
        found = installations.select_related("release").first()
        release = found.release if found and not found.has_ended else None
    return release.manifest if release else Manifest()


def states_in(
    application: Application,
    snapshots: Iterable[ConnectionSnapshot],
    environment: Environment,
    user: Any,
    client: Organization | None = None,
) -> dict[str, ConnectionState]:
    """Return the state of each connection in an environment, by link name."""
    if environment != Environment.PRODUCTION:
        return states_across(application, {environment: snapshots}, user)[environment]
    rows = InstalledConnection.objects.live().filter(
        connection__application=application, organization=client
    )
    found = installed_connection_states(rows, client.pk, user) if client else {}
    return {state.snapshot.link_name: state for state in found.values()}


def states_across(
    application: Application,
    snapshots: Mapping[Environment, Iterable[ConnectionSnapshot]],
    user: Any,
) -> dict[Environment, dict[str, ConnectionState]]:
    """Return the states for several environments; three queries, whatever the size."""
    connections = Connection.objects.created().filter(application=application)
    keys: dict[str, uuid.UUID] = dict(connections.values_list("link_name", "pk"))
    disablements = connections.disablements()
    found = connection_states(
        {
            environment: {keys[s.link_name]: s for s in known if s.link_name in keys}
            for environment, known in snapshots.items()
        },
        application.organization_id,
        user,
        disablements=disablements,
    )
    return {
        environment: {state.snapshot.link_name: state for state in by_key.values()}
        for environment, by_key in found.items()
    }
