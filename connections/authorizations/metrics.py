"""A metric that counts authorizations by state."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from django.core.cache import cache
from django.db import DatabaseError, InterfaceError
from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from connections.models import Authorization

#: Counting a million rows takes long, so all processes share the result for this time.
CACHE_SECONDS = 30
_counting = threading.Lock()


class AuthorizationCollector(Collector):
    """Counts authorizations by state; yields nothing while the database is unavailable."""

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "console_authorizations", "Authorizations by state.", labels=["state"]
        )
        try:
            counts = cache.get("metrics/authorizations")
            if counts is None:
                with _counting:  # other threads wait and use the cached result
                    counts = cache.get_or_set("metrics/authorizations", _by_state, CACHE_SECONDS)
        except (DatabaseError, InterfaceError):
            return
        for state in Authorization.State:
            family.add_metric([state.value], counts.get(state.value, 0))
        yield family


def _by_state() -> dict[str, int]:
    rows = Authorization.objects.order_by().values_list("state")
    return dict(rows.annotate(count=Count("pk")))
