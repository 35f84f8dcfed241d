"""Prometheus metrics of this process (``prometheus.py`` exposes them).

Labels are connectors, environments and outcomes, never organizations, people, paths or secrets.
Several processes share their metrics if ``PROMETHEUS_MULTIPROC_DIR`` names a common folder; the
library reads the variable when it is imported.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import mark_process_dead

REGISTRY = CollectorRegistry()
IS_SHARED = "PROMETHEUS_MULTIPROC_DIR" in os.environ


class ManyTimesHistogram(Histogram):
    """A histogram that takes equal observations in one step."""

    def observe_many(self, amount: float, times: int) -> None:
        """Do what ``observe(amount)`` does, so many times."""
        self._raise_if_not_observable()
        self._sum.inc(amount * times)
        for bound, bucket in zip(self._upper_bounds, self._buckets, strict=True):
            if amount <= bound:
                bucket.inc(times)
                break


INVOCATIONS = Counter(
    "console_invocations",
    "Calls through connections that were written to the log.",
    ["connector", "environment", "outcome"],
    registry=REGISTRY,
)
SECONDS = ManyTimesHistogram(
    "console_invocation_seconds",
    "How long calls through connections took, the service included.",
    ["connector", "environment"],
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
REFRESHES = Counter(
    "console_refreshes",
    "Requests to token endpoints for a new access token.",
    ["connector", "outcome"],
    registry=REGISTRY,
)
WAITING = Gauge(
    "console_invocation_log_waiting",
    "Rows of the call log that are not written yet.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
DROPPED = Counter(
    "console_invocation_log_dropped",
    "Rows of the call log that were dropped because too many were waiting.",
    registry=REGISTRY,
)


def forget_process() -> None:
    """Remove the gauges of this process from the shared folder when it ends."""
    if IS_SHARED:
        mark_process_dead(os.getpid())
