"""Run a function or a workflow as it stands in an environment."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connections.exchange import Exchange, Request
from connections.invoking import facts, invoke, refused
from connections.standing import Environment
from connections.states import State
from connectors.errors import ServiceError
from console.accounts.models import User
from console.applications.definitions import PLACEHOLDER, Call, Definition
from console.applications.filling import NoValue, fill, fill_path, fill_text
from console.applications.models import Application, Kind
from console.applications.source import walk
from console.publishing.environments import manifest_in, states_in
from console.publishing.manifest import Manifest, Part

MAX_CALLS = 50
#: How long a run may go on making calls; the last one may end later.
MAX_SECONDS = 60.0


class NotThere(LookupError):
    """What shall run is not in the environment, or does not run; the message says so."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One function of a run: its calls, and why it went no further, if it did not.

    ``answer`` is the last call's: JSON or text, without secrets.
    """

    function: str
    name: str
    exchanges: tuple[Exchange, ...] = ()
    answer: Any = field(default=None, repr=False)
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of running a component; ``problem`` is empty where everything worked."""

    component: Part
    environment: Environment
    steps: tuple[Step, ...]
    answer: Any = field(default=None, repr=False)
    problem: str = ""
    milliseconds: int = 0

    @property
    def ok(self) -> bool:
        return not self.problem

    @property
    def calls(self) -> int:
        """Count the calls that were made or tried."""
        return sum(len(step.exchanges) for step in self.steps)


def run(
    application: Application,
    link_name: str,
    environment: Environment,
    user: User,
    given: Mapping[str, Any],
    *,
    max_calls: int = MAX_CALLS,
    max_seconds: float = MAX_SECONDS,
) -> Run:
    """Run a component as this person, with what was ``given`` as its input.

    It is read as it stands in ``environment``, its connections too, and acts with the
    authorizations of that environment alone. It stops at the first failure. Raise
    :class:`NotThere`.
    """
    manifest = manifest_in(application, environment)
    part = _part(application, manifest, link_name, environment)
    started = time.monotonic()
    running = _Running(
        manifest=manifest,
        environment=environment,
        states=states_in(application, manifest.connections.values(), environment, user),
        calls_left=max_calls,
        deadline=started + max_seconds,
    )
    steps = running.function(part, given), *()
    if part.kind == Kind.WORKFLOW:
        steps = running.workflow(part, given)
    last = steps[-1] if steps else None
    return Run(
        component=part,
        environment=environment,
        steps=steps,
        answer=last.answer if last else None,
        problem=last.problem if last else "",
        milliseconds=round((time.monotonic() - started) * 1000),
    )


def _part(
    application: Application, manifest: Manifest, link_name: str, environment: Environment
) -> Part:
    part = manifest.components.get(link_name)
    if part is None:
        known = application.components.filter(link_name=link_name).first()
        name = known.name if known else link_name
        mend = " Publish it first." if known and environment == Environment.STAGE else ""
        raise NotThere(f"{name} is not in {environment.label} yet.{mend}")
    if part.kind not in (Kind.FUNCTION, Kind.WORKFLOW):
        raise NotThere(f"{part.name} is a {part.kind}: functions and workflows alone can be run.")
    return part


@dataclass(kw_only=True)
class _Running:
    """A run under way, and what is left of its limits."""

    manifest: Manifest
    environment: Environment
    states: Mapping[str, State]
    calls_left: int
    deadline: float

    def workflow(self, part: Part, given: Mapping[str, Any]) -> tuple[Step, ...]:
        steps: list[Step] = []
        for use in part.reached.uses:
            function = self.manifest.components.get(use.function)
            values = {"input": given} | ({"answer": steps[-1].answer} if steps else {})
            name, problem = function.name if function else use.function, ""
            if function is None:
                problem = f"The function {use.function} is not in {self.environment.label}."
            elif use.input is None:
                before = values.get("answer")
                handed = {**given, **(before if isinstance(before, dict) else {})}
            else:
                try:
                    handed = fill(dict(use.input), values)
                except NoValue as error:
                    problem = str(error)
            if function is None or problem:
                steps.append(Step(function=use.function, name=name, problem=problem))
            else:
                steps.append(self.function(function, handed))
            if steps[-1].problem:
                break
        return tuple(steps)

    def function(self, part: Part, given: Mapping[str, Any]) -> Step:
        exchanges: list[Exchange] = []
        values: dict[str, Any] = {"input": given}
        problem = ""
        for call in part.reached.calls:
            try:
                exchange = self._call(call, values)
            except (NoValue, _Stopped) as error:
                problem = str(error)
                break
            exchanges.append(exchange)
            if exchange.has_failed:
                problem = exchange.problem or (
                    f"{exchange.service} answered {exchange.status_words}, so it stopped there."
                )
                break
            values["answer"] = exchange.answer
        return Step(
            function=part.link_name,
            name=part.name,
            exchanges=tuple(exchanges),
            answer=exchanges[-1].answer if exchanges else None,
            problem=problem,
        )

    def _call(self, call: Call, values: Mapping[str, Any]) -> Exchange:
        if self.calls_left <= 0:
            raise _Stopped("A run makes at most so many calls, and this was the last one.")
        if time.monotonic() >= self.deadline:
            raise _Stopped("The run took too long. What was done so far stays done.")
        state = self.states.get(call.connection)
        if state is None:
            raise _Stopped(
                f"The connection {call.connection} is not in {self.environment.label}."
            )
        self.calls_left -= 1
        if exchange := refused(Request(method=call.method, path=call.path), state):
            return exchange
        return invoke(_filled(call, {**values, "connection": facts(state)}), state)


class _Stopped(Exception):
    """The run goes no further."""


def _filled(call: Call, values: Mapping[str, Any]) -> Request:
    return Request(
        method=call.method,
        path=fill_path(call.path, values),
        query=fill(dict(call.query), values),
        headers={name: fill_text(value, values) for name, value in call.headers.items()},
        body=fill(call.body, values),
    )
