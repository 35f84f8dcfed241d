"""Run a function or a workflow of the application for a program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field, model_validator

from console.publishing.manifest import ComponentSnapshot, Manifest
from console.publishing.runs import NotRunnable, Run, run
from console.runtime.caller import Program, refuse_unless_it_acts
from console.runtime.problem_details import Problem


class RunIn(Schema):
    """What a run is given."""

    model_config = ConfigDict(extra="forbid")

    input: dict[str, Any] = Field(default={}, description="Values by the names of its inputs")

    @model_validator(mode="before")
    @classmethod
    def _no_others(cls, given: Any) -> Any:
        """Refuse other members as one: pydantic writes down each, however many were sent."""
        sent = getattr(given, "_obj", given)
        if isinstance(sent, dict) and (others := sent.keys() - {"input"}):
            raise ValueError(f"{len(others)} unknown members; only “input” is known")
        return given


class CallOut(Schema):
    """One call of a step; neither what was sent nor what came, which may be large."""

    connection: str
    service: str
    method: str
    status: int = Field(description="0 where no answer came")
    milliseconds: int
    problem: str


class StepOut(Schema):
    """One function of the run."""

    function: str
    name: str
    calls: list[CallOut]
    problem: str


class RunOut(Schema):
    """What came of it; a run stops at its first failure, and what was done stays done."""

    outcome: Literal["worked", "stopped"]
    environment: str
    milliseconds: int
    steps: list[StepOut]
    answer: Any = Field(description="What the last call answered: JSON or text")
    problem: str = Field(description="Why it stopped, for a person; empty where it worked")


def start(program: Program, link_name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Run what has this link name, and say what came of it.

    Nothing is called before every connection that it uses can act: raise
    :class:`Problem` or :class:`~console.keys.errors.Refused` otherwise, and ``ServiceBusy``
    where its first call was not made for that reason.
    """
    part = program.manifest.components.get(link_name)
    for name in sorted(set(_used(program.manifest, part))) if part else ():
        if state := program.states.get(name):
            refuse_unless_it_acts(state, program.user)
    try:
        done = run(
            program.application,
            link_name,
            program.environment,
            program.user,
            given,
            client=program.client,
        )
    except NotRunnable as error:
        raise Problem("function-not-found", str(error)) from None
    if done.busy:
        raise done.busy
    return _told(done)


def _used(manifest: Manifest, part: ComponentSnapshot) -> Iterator[str]:
    """Name the connections that a component reaches, by itself or by what it runs."""
    yield from part.reached.connections
    for use in part.reached.uses:
        if function := manifest.components.get(use.function):
            yield from function.reached.connections


def _told(done: Run) -> dict[str, Any]:
    return {
        "outcome": "worked" if done.ok else "stopped",
        "environment": done.environment.value,
        "milliseconds": done.milliseconds,
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
                    }
                    for exchange in step.exchanges
                ],
                "problem": step.problem,
            }
            for step in done.steps
        ],
        "answer": done.answer,
        "problem": done.problem,
    }
