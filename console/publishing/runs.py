"""Run a function or a workflow of an environment."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connections.authorizations.connection_state import ConnectionState
from connections.calls.errors import CallRefused
from connections.calls.exchange import Exchange, ServiceRequest
from connections.calls.invoking import invoke, placeholder_values, refused_exchange
from connectors.errors import ServiceBusy, ServiceError
from console.accounts.models import Organization, User
from console.applications.models import Application
from console.choices import ComponentKind, Environment
from console.components.definitions import CallTemplate, FunctionUse
from console.components.placeholders import NoValue, Room, fill, fill_path, fill_text
from console.invocations.log_writer import note_run
from console.publishing.environment_state import manifest_in, states_in
from console.publishing.manifest import ComponentSnapshot, Manifest

MAX_CALLS = 50
#: How long a run may go on making calls; the last one may end later.
MAX_SECONDS = 60.0
#: How long all answers of a run may be, in characters: they are kept until it has ended.
MAX_ANSWERS = 8 * 1024 * 1024


class NotThere(LookupError):
    """The component is not in the environment or cannot be run; the message says which."""


@dataclass(frozen=True, kw_only=True)
class RunStep:
    """One function of a run: its calls, and the problem that stopped it, if any.

    ``answer`` is the last call's: JSON or text, without secrets.
    """

    function: str
    name: str
    exchanges: tuple[Exchange, ...] = ()
    answer: Any = field(default=None, repr=False)
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Run:
    """The result of a run; ``problem`` is empty if everything worked.

    ``busy`` is set if the first call was not made because of load; the run can be repeated.
    """

    component: ComponentSnapshot
    environment: Environment
    steps: tuple[RunStep, ...]
    answer: Any = field(default=None, repr=False)
    problem: str = ""
    milliseconds: int = 0
    busy: ServiceBusy | None = None

    @property
    def ok(self) -> bool:
        return not self.problem

    @property
    def calls(self) -> int:
        """Count the calls that reached for a service."""
        return sum(exchange.was_sent for step in self.steps for exchange in step.exchanges)


def run(
    application: Application,
    link_name: str,
    environment: Environment,
    user: User | None,
    given: Mapping[str, Any],
    *,
    client: Organization | None = None,
    max_calls: int = MAX_CALLS,
    max_seconds: float = MAX_SECONDS,
) -> Run:
    """Run a component for a person, or for nobody, with ``given`` as its input.

    Component, connections and authorizations are those of ``environment``; in Production, the
    authorizations of the ``client``. The run stops at the first failure. Raise
    :class:`NotThere`.
    """
    manifest = manifest_in(application, environment, client)
    part = _part(application, manifest, link_name, environment)
    started = time.monotonic()
    running = _Running(
        manifest=manifest,
        environment=environment,
        states=states_in(application, manifest.connections.values(), environment, user, client),
        application=application,
        client=client,
        user=user,
        max_calls=max_calls,
        max_seconds=max_seconds,
        started=started,
    )
    if part.kind == ComponentKind.WORKFLOW:
        steps = running.workflow(part, given)
    else:
        steps = (running.function(part, given),)
    last = steps[-1] if steps else None
    return Run(
        component=part,
        environment=environment,
        steps=steps,
        answer=last.answer if last else None,
        problem=last.problem if last else "",
        milliseconds=round((time.monotonic() - started) * 1000),
        busy=running.busy,
    )


def inputs(manifest: Manifest, part: ComponentSnapshot) -> dict[str, Mapping[str, Any]]:
    """Name what can be given to a run, each with what the definition declares about it.

    A function that a workflow hands no input of its own takes what the workflow was given.
    """
    declared = part.definition.get("input") or []
    found: dict[str, Mapping[str, Any]] = {field["name"]: field for field in declared}
    for name in part.reached.inputs:
        found.setdefault(name, {})
    for use in part.reached.uses:
        if use.input is None and (function := manifest.components.get(use.function)):
            found = {**inputs(manifest, function), **found}
    return found


def _part(
    application: Application, manifest: Manifest, link_name: str, environment: Environment
) -> ComponentSnapshot:
    part = manifest.components.get(link_name)
    if part is None:
        known = application.components.filter(link_name=link_name).first()
        name = known.name if known else link_name
        fix = " Publish it first." if known and environment == Environment.STAGE else ""
        raise NotThere(f"{name} is not in {environment.label} yet.{fix}")
    if part.kind not in (ComponentKind.FUNCTION, ComponentKind.WORKFLOW):
        raise NotThere(f"{part.name} is a {part.kind}: only functions and workflows can be run.")
    return part


@dataclass(kw_only=True)
class _Running:
    """A run under way, and what is left of its limits."""

    manifest: Manifest
    environment: Environment
    states: Mapping[str, ConnectionState]
    application: Application
    client: Organization | None
    user: User | None
    max_calls: int
    max_seconds: float
    started: float
    calls_made: int = 0
    busy: ServiceBusy | None = None
    answers_read: int = 0

    def workflow(self, part: ComponentSnapshot, given: Mapping[str, Any]) -> tuple[RunStep, ...]:
        """Run functions one after the other until one of them fails."""
        steps: list[RunStep] = []
        for use in part.reached.uses:
            steps.append(self._step(use, given, steps[-1] if steps else None))
            if steps[-1].problem:
                break
        return tuple(steps)

    def _step(self, use: FunctionUse, given: Mapping[str, Any], before: RunStep | None) -> RunStep:
        function = self.manifest.components.get(use.function)
        if function is None:
            return RunStep(
                function=use.function,
                name=use.function,
                problem=f"The function {use.function} is not in {self.environment.label}.",
            )
        if use.input is None:
            answer = before.answer if before else None
            return self.function(
                function, {**given, **(answer if isinstance(answer, dict) else {})}
            )
        values = {"input": given} | ({"answer": before.answer} if before else {})
        try:
            handed = fill(dict(use.input), values)
        except NoValue as error:
            return RunStep(function=use.function, name=function.name, problem=str(error))
        return self.function(function, handed)

    def function(self, part: ComponentSnapshot, given: Mapping[str, Any]) -> RunStep:
        """Make the calls of a function until one of them fails."""
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
                answered = f"{exchange.service} answered {exchange.status_words}."
                problem = exchange.problem or answered
                break
            values["answer"] = exchange.answer
        return RunStep(
            function=part.link_name,
            name=part.name,
            exchanges=tuple(exchanges),
            answer=exchanges[-1].answer if exchanges else None,
            problem=problem,
        )

    def _call(self, call: CallTemplate, values: Mapping[str, Any]) -> Exchange:
        if self.calls_made >= self.max_calls:
            raise _Stopped(
                f"A run makes at most {self.max_calls} calls, and this one has made as many. "
                "What was done so far stays done."
            )
        if time.monotonic() - self.started >= self.max_seconds:
            raise _Stopped(
                f"The run took longer than {self.max_seconds:g} s, so it stopped before its next "
                "call. What was done so far stays done."
            )
        if self.answers_read >= MAX_ANSWERS:
            raise _Stopped(
                f"The answers of the run's calls are longer than {MAX_ANSWERS // 1024**2} MiB "
                "altogether, so it stopped before its next call. What was done so far stays done."
            )
        state = self.states.get(call.connection)
        if state is None:
            raise _Stopped(f"The connection {call.connection} is not in {self.environment.label}.")
        self.calls_made += 1
        try:
            known = placeholder_values(state)
        except CallRefused as error:
            unfilled = ServiceRequest(method=call.method, path=call.path)
            return refused_exchange(unfilled, state, error)
        except ServiceError as error:
            raise _Stopped(str(error)) from None
        request = _filled(call, {**values, "connection": known})
        try:
            exchange = invoke(request, state)
        except ServiceBusy as error:
            self.busy = error if self.calls_made == 1 else None
            raise _Stopped(str(error)) from None
        self.answers_read += len(exchange.answer_body)
        note_run(exchange, request, state, self.application, self.client, self.user)
        return exchange


class _Stopped(Exception):
    """The run goes no further."""


def _filled(call: CallTemplate, values: Mapping[str, Any]) -> ServiceRequest:
    room = Room()
    return ServiceRequest(
        method=call.method,
        path=fill_path(call.path, values, room),
        query=fill(dict(call.query), values, room),
        headers={name: fill_text(value, values, room) for name, value in call.headers.items()},
        body=fill(call.body, values, room),
    )
