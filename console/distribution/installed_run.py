"""Run an installed application, and show each person only what they may see of the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connections.authorizations.connection_state import ConnectionState
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
    """A call of a run as the person may see it; ``account`` is the account that it used."""

    exchange: Exchange
    answer_body: FormattedBody
    account: str
    problem: str
    authorize_url: str


@dataclass(frozen=True, kw_only=True)
class InstalledRunResult:
    """The result of a run, by step."""

    run: runs.Run
    steps: list[tuple[runs.RunStep, list[InstalledCall]]]
    problem: str


def runnable(installation: Installation) -> list[ComponentSnapshot]:
    """List the functions and workflows of the installed release; none after the license ended."""
    if installation.has_ended:
        return []
    components = installation.release.manifest.components.values()
    kinds = (ComponentKind.FUNCTION, ComponentKind.WORKFLOW)
    found = [component for component in components if component.kind in kinds]
    return sorted(found, key=lambda component: component.name.lower())


def run(
    installation: Installation, link_name: str, user: User, given: Mapping[str, Any]
) -> InstalledRunResult:
    """Run a component for this person, in Production.

    Requests, and the account behind an Administrator connection, are shown only to people who
    may authorize that connection. Raise :class:`~console.publishing.runs.NotRunnable`.
    """
    application, client = installation.application, installation.organization
    run_result = runs.run(
        application, link_name, Environment.PRODUCTION, user, given, client=client
    )
    snapshots = installation.release.manifest.connections.values()
    states = states_in(application, snapshots, Environment.PRODUCTION, user, client)
    by_name = {state.snapshot.name: state for state in states.values()}
    own = Organization.objects.allowing(user, Action.AUTHORIZE_INSTALLED)
    authorizes_for_all = own.filter(pk=client.pk).exists()
    steps = [
        (
            step,
            [
                _called(e, by_name.get(e.connection), client, authorizes_for_all)
                for e in step.exchanges
            ],
        )
        for step in run_result.steps
    ]
    # Show the problem that stopped the run once, in the version that the person may see.
    failed = [called for _, calls in steps for called in calls if called.problem]
    problem = failed[-1].problem if run_result.problem and failed else run_result.problem
    return InstalledRunResult(run=run_result, steps=steps, problem=problem)


def _called(
    exchange: Exchange,
    state: ConnectionState | None,
    client: Organization,
    authorizes_for_all: bool,
) -> InstalledCall:
    personal = state is not None and state.snapshot.level == Level.LOGGED_IN_USER
    credential = state.authorization.credential if state and state.authorization else None
    if personal or authorizes_for_all:
        account = credential.label if credential and exchange.was_sent else ""
        return InstalledCall(
            exchange=exchange,
            answer_body=body(exchange.answer_body),
            account=account,
            problem=exchange.problem,
            authorize_url=exchange.authorize_url,
        )
    problem = exchange.problem
    if exchange.authorize_url:
        problem = (
            f"{exchange.connection} is not authorized for {client}, or no longer works. A super "
            f"admin, admin or developer of {client} can authorize it."
        )
    account = f"the account of {client}" if exchange.was_sent else ""
    return InstalledCall(
        exchange=exchange,
        answer_body=body(exchange.answer_body),
        account=account,
        problem=problem,
        authorize_url="",
    )
