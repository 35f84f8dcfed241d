"""Metrics of all processes in the text format of Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from console.monitoring import metrics

#: Collectors that read the database when metrics are requested; packages register their own.
_collectors: list[Collector] = []


def register(collector: Collector) -> None:
    """Add a collector whose numbers come from the database."""
    _collectors.append(collector)


def exposition() -> bytes:
    """Return all metrics as the body of ``/metrics``."""
    registry = CollectorRegistry()
    if metrics.IS_SHARED:
        MultiProcessCollector(registry)
    for collector in _collectors:
        registry.register(collector)
    own = b"" if metrics.IS_SHARED else generate_latest(metrics.REGISTRY)
    return own + generate_latest(registry)
