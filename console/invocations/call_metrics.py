"""Metrics of the calls that were written to the log."""

from __future__ import annotations

from collections.abc import Mapping

from console.invocations.equal_calls import EqualCalls
from console.invocations.outcomes import outcome_of
from console.monitoring.metrics import INVOCATIONS, SECONDS


def measure(calls: Mapping[EqualCalls, int]) -> None:
    """Add calls to the metrics."""
    for kind, number in calls.items():
        connector, environment = kind.context.connector or "none", kind.context.environment
        outcome = outcome_of(kind.status, kind.problem)
        INVOCATIONS.labels(connector, environment, outcome).inc(number)
        SECONDS.labels(connector, environment).observe_many(kind.milliseconds / 1000, number)
