"""Metrics in the text format of Prometheus, added up over all processes."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from console.monitoring import metrics

#: What rooms count at the moment they are asked; each of them registers its own.
_collectors: list[Collector] = []


def register(collector: Collector) -> None:
    """Add a collector whose numbers come from the database."""
    _collectors.append(collector)


def exposition() -> bytes:
    """Return all metrics as ``/metrics`` gives them out."""
    registry = CollectorRegistry()
    if metrics.IS_SHARED:
        MultiProcessCollector(registry)
    for collector in _collectors:
        registry.register(collector)
    own = b"" if metrics.IS_SHARED else generate_latest(metrics.REGISTRY)
    return own + generate_latest(registry)
