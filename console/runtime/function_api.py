"""Run a function or a workflow of the application for a program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urljoin

from django.conf import settings
from ninja import Schema
from pydantic import ConfigDict, Field, model_validator

from connections.calls.readiness import ensure_ready
from console.publishing.manifest import ComponentSnapshot, Manifest
from console.publishing.runs import NotRunnable, Run, run
from console.runtime.caller import Program
from console.runtime.problem_details import Problem


class RunIn(Schema):
    """The input of a run."""

    model_config = ConfigDict(extra="forbid")

    input: dict[str, Any] = Field(default={}, description="Values by the names of its inputs")

    @model_validator(mode="before")
    @classmethod
    def _no_others(cls, given: Any) -> Any:
        """Report unknown members together: pydantic reports each, however many were sent."""
        sent = getattr(given, "_obj", given)
        if isinstance(sent, dict) and (others := sent.keys() - {"input"}):
            raise ValueError(f"{len(others)} unknown members; only “input” is known")
        return given


class CallOut(Schema):
    """One call of a step, without its request and response, which may be large."""

    connection: str
    service: str
    method: str
    status: int = Field(description="0 if there was no response")
    milliseconds: int
    problem: str
    reason_code: str | None = Field(
        description="Why the authorization cannot call, if that stopped the run"
    )
    authorize_url: str | None = Field(description="Where a person fixes it by authorizing")
    missing_scopes: list[str] = Field(
        description="Scopes that the service's answer named as missing"
    )


class StepOut(Schema):
    """One function of the run."""

    function: str
    name: str
    calls: list[CallOut]
    problem: str


class RunOut(Schema):
    """The result. A run stops at its first failure; completed calls are not undone."""

    outcome: Literal["worked", "stopped"]
    environment: str
    milliseconds: int
    steps: list[StepOut]
    answer: Any = Field(description="The response of the last call: JSON or text")
    problem: str = Field(description="Why it stopped, for a person; empty if it worked")


def run_function(program: Program, link_name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Run the function or workflow with this link name, and return the result.

    Every connection that it uses must be ready before anything is called; otherwise raise
    ``CallRefused``. Raise ``ServiceBusy`` if that kept its first call from being made.
    """
    part = program.manifest.components.get(link_name)
    for name in sorted(set(_connections_of(program.manifest, part))) if part else ():
        if state := program.states.get(name):
            ensure_ready(state, has_user=program.user is not None)
    try:
        result = run(
            program.application,
            link_name,
            program.environment,
            program.user,
            given,
            client=program.client,
        )
    except NotRunnable as error:
        raise Problem("function-not-found", str(error)) from None
    if result.busy:
        raise result.busy
    return _describe(result)


def _connections_of(manifest: Manifest, part: ComponentSnapshot) -> Iterator[str]:
    """Return the link names of the connections that a component uses, also through functions."""
    yield from part.reached.connections
    for use in part.reached.uses:
        if function := manifest.components.get(use.function):
            yield from function.reached.connections


def _describe(result: Run) -> dict[str, Any]:
    return {
        "outcome": "worked" if result.ok else "stopped",
        "environment": result.environment.value,
        "milliseconds": result.milliseconds,
        "steps": [
            {
                "function": step.function,
                "name": step.name,
                "calls": [
                    {
                        "connection": exchange.connection,
                        "service": exchange.service,
                        "method": exchange.method,
                        "status": exchange.status,
                        "milliseconds": exchange.milliseconds,
                        "problem": exchange.problem,
                        "reason_code": exchange.reason_code or None,
                        "authorize_url": urljoin(settings.PUBLIC_URL, exchange.authorize_url)
                        if exchange.authorize_url
                        else None,
                        "missing_scopes": list(exchange.missing_scopes),
                    }
                    for exchange in step.exchanges
                ],
                "problem": step.problem,
            }
            for step in result.steps
        ],
        "answer": result.answer,
        "problem": result.problem,
    }
