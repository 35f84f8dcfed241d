"""Run what is installed, and show of it what concerns the person who runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connections.authorizations.state import ConnectionState
from connections.calls.exchange import Exchange
from console.accounts.models import Organization, User
from console.accounts.policy import Action
from console.choices import ComponentKind, Environment, Level
from console.publishing import runs
from console.publishing.environment_state import states_in
from console.publishing.manifest import ComponentSnapshot
from console.publishing.models import Installation
from console.publishing.run_results import FormattedBody, body


@dataclass(frozen=True, kw_only=True)
class InstalledCall:
    """One call of a run as its person may see it; ``account`` says as whom it was made."""

    exchange: Exchange
    came: FormattedBody
    account: str
    problem: str
    authorize_url: str


@dataclass(frozen=True, kw_only=True)
class InstalledRunResult:
    """What came of a run, by step."""

    run: runs.Run
    steps: list[tuple[runs.RunStep, list[InstalledCall]]]
    problem: str


def runnable(installation: Installation) -> list[ComponentSnapshot]:
    """List the functions and workflows of the installed release; none once the license ended."""
    if installation.has_ended:
        return []
    parts = installation.release.manifest.components.values()
    found = [
        part for part in parts if part.kind in (ComponentKind.FUNCTION, ComponentKind.WORKFLOW)
    ]
    return sorted(found, key=lambda part: part.name.lower())


def run(
    installation: Installation, link_name: str, user: User, given: Mapping[str, Any]
) -> InstalledRunResult:
    """Run a component as this person, in Production.

    What was sent and whose account an Administrator connection uses is told to those alone
    who authorize it. Raise :class:`~console.publishing.runs.NotRunnable`.
    """
    application, client = installation.application, installation.organization
    done = runs.run(application, link_name, Environment.PRODUCTION, user, given, client=client)
    standings = installation.release.manifest.connections.values()
    states = states_in(application, standings, Environment.PRODUCTION, user, client)
    by_name = {state.standing.name: state for state in states.values()}
    own = Organization.objects.allowing(user, Action.AUTHORIZE_INSTALLED)
    authorizes_for_all = own.filter(pk=client.pk).exists()
    steps = [
        (step, [_called(e, by_name.get(e.connection), client, authorizes_for_all) for e in step.exchanges])
        for step in done.steps
    ]
    # What stopped the run is told once, in the words that the person may read.
    failed = [called for _, calls in steps for called in calls if called.problem]
    problem = failed[-1].problem if done.problem and failed else done.problem
    return InstalledRunResult(run=done, steps=steps, problem=problem)


def _called(
    exchange: Exchange, state: ConnectionState | None, client: Organization, authorizes_for_all: bool
) -> InstalledCall:
    personal = state is not None and state.standing.level == Level.LOGGED_IN_USER
    credential = state.authorization.credential if state and state.authorization else None
    if personal or authorizes_for_all:
        account = credential.label if credential and exchange.was_sent else ""
        return InstalledCall(
            exchange=exchange,
            came=body(exchange.answer_body),
            account=account,
            problem=exchange.problem,
            authorize_url=exchange.authorize_url,
        )
    problem = exchange.problem
    if exchange.authorize_url:
        problem = (
            f"{exchange.connection} is not authorized for {client}, or stopped working. A super "
            "admin, admin or developer there can authorize it."
        )
    account = f"the account of {client}" if exchange.was_sent else ""
    return InstalledCall(
        exchange=exchange,
        came=body(exchange.answer_body),
        account=account,
        problem=problem,
        authorize_url="",
    )
