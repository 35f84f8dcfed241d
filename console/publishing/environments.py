"""What stands in each environment: Development as it is edited, Stage as it was released."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
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
    """Tell by link name how each connection of the application stands in an environment."""
    by_name = {standing.link_name: standing for standing in standings}
    keys: dict[str, uuid.UUID] = dict(
        Connection.objects.created().filter(application=application).values_list("link_name", "pk")
    )
    found = states(
        {keys[name]: standing for name, standing in by_name.items() if name in keys},
        environment,
        user,
    )
    return {state.standing.link_name: state for state in found.values()}
