"""What stands in each environment: Development as it is edited, Stage as it was released."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from connections.models import Connection
from connections.standing import Environment, Standing
from connections.states import State, states
from console.applications.models import Application
from console.publishing.manifest import Manifest, of_development
from console.publishing.models import Release


def release_in_stage(application: Application) -> Release | None:
    """Return the release that Stage holds now."""
    return Release.objects.filter(stages__application=application).first()


def manifest_in(application: Application, environment: str) -> Manifest:
    """Return what the application consists of in Development or in Stage."""
    if environment == Environment.DEVELOPMENT:
        return of_development(application)
    if environment == Environment.STAGE:
        release = release_in_stage(application)
        return release.manifest if release else Manifest()
    raise ValueError(f"Nothing of an application stands in {environment} here.")


def states_in(
    application: Application, standings: Iterable[Standing], environment: Environment, user: Any
) -> dict[str, State]:
    """Tell by link name how each connection of the application does in an environment."""
    return states_across(application, {environment: standings}, user)[environment]


def states_across(
    application: Application, standings: Mapping[Environment, Iterable[Standing]], user: Any
) -> dict[Environment, dict[str, State]]:
    """Tell the same for several environments; two queries, whatever the size."""
    connections = Connection.objects.created().filter(application=application)
    keys: dict[str, uuid.UUID] = dict(connections.values_list("link_name", "pk"))
    found = states(
        {
            environment: {keys[s.link_name]: s for s in known if s.link_name in keys}
            for environment, known in standings.items()
        },
        user,
    )
    return {
        environment: {state.standing.link_name: state for state in by_key.values()}
        for environment, by_key in found.items()
    }
