"""Run a function or workflow in an environment: make its calls and collect the answers."""

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
from console.components.placeholders import NoValue, SizeBudget, fill, fill_path, fill_text
from console.invocations.log_writer import note_run
from console.publishing.environment_state import manifest_in, states_in
from console.publishing.manifest import ComponentSnapshot, Manifest

MAX_CALLS = 50
#: A run starts no further call after this many seconds; the last call may end later.
MAX_SECONDS = 60.0
#: The most characters in all answers of a run, which are kept in memory until the run ends.
MAX_ANSWER_CHARACTERS = 8 * 1024 * 1024


class NotRunnable(LookupError):
    """The component is not in the environment, or cannot be run; the message says which."""


@dataclass(frozen=True, kw_only=True)
class RunStep:
    """One function of a run: its calls, and the problem that stopped it, if any.

    ``answer`` is the answer of the last call: JSON or text, without secrets.
    """

    function: str
    name: str
    exchanges: tuple[Exchange, ...] = ()
    answer: Any = field(default=None, repr=False)
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Run:
    """The result of a run; ``problem`` is empty if every call succeeded.

    ``busy`` is set if the first call was not made because the service is busy: nothing happened,
    so the run can be repeated unchanged.
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
        """Count the calls that were sent to a service."""
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
    """Run a component for a person, or without one (``user`` is None), with ``given`` as input.

    The component and its connections are those of ``environment``, and only authorizations of
    that environment are used: in Production, those of ``client``. The run stops at the first
    failure. Raise :class:`NotRunnable`.
    """
    manifest = manifest_in(application, environment, client)
    component = _part(application, manifest, link_name, environment)
    started = time.monotonic()
    running = _RunState(
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
    if component.kind == ComponentKind.WORKFLOW:
        steps = running.workflow(component, given)
    else:
        steps = (running.function(component, given),)
    last = steps[-1] if steps else None
    return Run(
        component=component,
        environment=environment,
        steps=steps,
        answer=last.answer if last else None,
        problem=last.problem if last else "",
        milliseconds=round((time.monotonic() - started) * 1000),
        busy=running.busy,
    )


def inputs(manifest: Manifest, component: ComponentSnapshot) -> dict[str, Mapping[str, Any]]:
    """Return the inputs of a component by name, each with its declaration in the definition.

    They include the inputs of functions that a workflow runs without an input of their own.
    """
    declared = component.definition.get("input") or []
    found: dict[str, Mapping[str, Any]] = {field["name"]: field for field in declared}
    for name in component.reached.inputs:
        found.setdefault(name, {})
    for use in component.reached.uses:
        if use.input is None and (function := manifest.components.get(use.function)):
            found = {**inputs(manifest, function), **found}
    return found


def _part(
    application: Application, manifest: Manifest, link_name: str, environment: Environment
) -> ComponentSnapshot:
    component = manifest.components.get(link_name)
    if component is None:
        known = application.components.filter(link_name=link_name).first()
        name = known.name if known else link_name
        hint = " Publish it first." if known and environment == Environment.STAGE else ""
        raise NotRunnable(f"{name} is not in {environment.label} yet.{hint}")
    if component.kind not in (ComponentKind.FUNCTION, ComponentKind.WORKFLOW):
        raise NotRunnable(
            f"{component.name} is a {component.kind}. Only functions and workflows can be run."
        )
    return component


@dataclass(kw_only=True)
class _RunState:
    """A run in progress, with the counters for its limits."""

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

    def workflow(
        self, component: ComponentSnapshot, given: Mapping[str, Any]
    ) -> tuple[RunStep, ...]:
        """Run the functions of a workflow in order, until one of them fails."""
        steps: list[RunStep] = []
        for use in component.reached.uses:
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
            step_input = fill(dict(use.input), values)
        except NoValue as error:
            return RunStep(function=use.function, name=function.name, problem=str(error))
        return self.function(function, step_input)

    def function(self, component: ComponentSnapshot, given: Mapping[str, Any]) -> RunStep:
        """Make the calls of a function in order, until one of them fails."""
        exchanges: list[Exchange] = []
        values: dict[str, Any] = {"input": given}
        problem = ""
        for call in component.reached.calls:
            try:
                exchange = self._call(call, values)
            except (NoValue, _RunStopped) as error:
                problem = str(error)
                break
            exchanges.append(exchange)
            if exchange.has_failed:
                answered = f"{exchange.service} answered {exchange.status_words}."
                problem = exchange.problem or answered
                break
            values["answer"] = exchange.answer
        return RunStep(
            function=component.link_name,
            name=component.name,
            exchanges=tuple(exchanges),
            answer=exchanges[-1].answer if exchanges else None,
            problem=problem,
        )

    def _call(self, call: CallTemplate, values: Mapping[str, Any]) -> Exchange:
        if self.calls_made >= self.max_calls:
            raise _RunStopped(
                f"A run can make at most {self.max_calls} calls, and this one has made them all. "
                "The calls made so far are not undone."
            )
        if time.monotonic() - self.started >= self.max_seconds:
            raise _RunStopped(
                f"The run took longer than {self.max_seconds:g} s, so it stopped before its next "
                "call. The calls made so far are not undone."
            )
        if self.answers_read >= MAX_ANSWER_CHARACTERS:
            raise _RunStopped(
                f"The answers of this run exceed {MAX_ANSWER_CHARACTERS // 1024**2} MiB in total, "
                "so it stopped before its next call. The calls made so far are not undone."
            )
        state = self.states.get(call.connection)
        if state is None:
            raise _RunStopped(
                f"The connection {call.connection} is not in {self.environment.label}."
            )
        self.calls_made += 1
        try:
            known = placeholder_values(state)
        except CallRefused as error:
            unfilled = ServiceRequest(method=call.method, path=call.path)
            return refused_exchange(unfilled, state, error)
        except ServiceError as error:
            raise _RunStopped(str(error)) from None
        request = _service_request(call, {**values, "connection": known})
        try:
            exchange = invoke(request, state)
        except ServiceBusy as error:
            self.busy = error if self.calls_made == 1 else None
            raise _RunStopped(str(error)) from None
        self.answers_read += len(exchange.answer_body)
        note_run(exchange, request, state, self.application, self.client, self.user)
        return exchange


class _RunStopped(Exception):
    """The run has to stop; the message says why."""


def _service_request(call: CallTemplate, values: Mapping[str, Any]) -> ServiceRequest:
    budget = SizeBudget()
    return ServiceRequest(
        method=call.method,
        path=fill_path(call.path, values, budget),
        query=fill(dict(call.query), values, budget),
        headers={name: fill_text(value, values, budget) for name, value in call.headers.items()},
        body=fill(call.body, values, budget),
    )
