"""What is counted for whoever watches the deployment (``console/monitoring/prometheus.py`` gives it out).

A label is a connector, an environment or what came of something: never an organization, a
person, a path or a secret. Several processes add up where ``PROMETHEUS_MULTIPROC_DIR`` names a
folder that they share, which the library reads when it is imported.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import mark_process_dead

REGISTRY = CollectorRegistry()
IS_SHARED = "PROMETHEUS_MULTIPROC_DIR" in os.environ

INVOCATIONS = Counter(
    "console_invocations",
    "Calls through connections.",
    ["connector", "environment", "outcome"],
    registry=REGISTRY,
)
SECONDS = Histogram(
    "console_invocation_seconds",
    "How long calls through connections took, the service included.",
    ["connector", "environment"],
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
REFRESHES = Counter(
    "console_refreshes",
    "Token endpoints that were asked for a new access token.",
    ["connector", "outcome"],
    registry=REGISTRY,
)
WAITING = Gauge(
    "console_invocation_log_waiting",
    "Rows of the log of calls that are not written yet.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
DROPPED = Counter(
    "console_invocation_log_dropped",
    "Rows of the log of calls that were given up because too many waited.",
    registry=REGISTRY,
)


def forget_process() -> None:
    """Leave nothing behind of what only lives with this process."""
    if IS_SHARED:
        mark_process_dead(os.getpid())
