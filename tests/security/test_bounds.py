"""Runs, tests and webhooks have the limits of proxied calls (security.md, promise 9).

Memory, size and time with hostile services. ``test_hostile_services.py`` tests proxied calls.
"""
# ruff: noqa: F401  (fixtures of other rooms)

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.urls import reverse

from connections.models import Credential
from connectors.definitions.registry import get_connectors
from connectors.http.http_client import ONE_MEBIBYTE, Timeout
from console.keys.issuing import create_key
from console.publishing.runs import MAX_CALLS
from console.webhooks import deliveries, payloads
from console.webhooks.models import Delivery, Webhook
from console.webhooks.signature import new_secret
from tests.runtime.proxy.conftest import nothing_was_called_lately
from tests.security.hostile_service import MISDEEDS, hostile_service

#: Here a response of 1 MiB is parsed into values, which the proxy does not do.
GROWN = 32 * ONE_MEBIBYTE
#: A run keeps the responses of all its calls until it ends.
GROWN_IN_A_RUN = 64 * ONE_MEBIBYTE
MARGIN_SECONDS = 5
#: These last until the deadline; the others end as soon as the size limit is reached.
SLOW = ("dripping", "endless-trailers", "informing", "silence", "fine")
QUICK = sorted(name for name in MISDEEDS if not name.startswith(SLOW))


def memory(name: str) -> int:
    """Return a memory figure of this process in bytes; ``VmHWM`` is the peak."""
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


@contextmanager
def at_most(grown: int) -> Iterator[None]:
    """Fail if the block's peak memory grows by more than that."""
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    yield
    assert memory("VmHWM") - before <= grown


class Places:
    """A function, an authorization and a webhook that call the hostile service."""

    def __init__(self, settings: Any, client: Any, key: str, authorization: Any, webhook: Webhook):
        self.settings, self.client, self.key = settings, client, key
        self.authorization, self.webhook = authorization, webhook

    @contextmanager
    def meet(self, misdeed: str) -> Iterator[None]:
        with hostile_service(misdeed) as url:
            self.settings.SANDBOX_URL = url
            self.settings.ALLOWED_PRIVATE_HOSTS = [url.removeprefix("http://")]
            get_connectors.cache_clear()
            Webhook.objects.update(url=f"{url}/hook", disabled_at=None)
            yield
        get_connectors.cache_clear()

    def run(self, function: str = "find") -> str:
        response = self.client.post(
            f"/api/v1/functions/{function}/run",
            "{}",
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.key}"},
        )
        assert response.status_code < 500 or response.headers["Console-Problem"]
        return response.content.decode()

    def test(self) -> str:
        response = self.client.post(reverse("authorization_test", args=[self.authorization.pk]))
        assert response.status_code == 303
        return str(Credential.objects.get(pk=self.authorization.credential_id).check_problem)

    def deliver(self) -> str:
        delivery = payloads.test_message(self.webhook)
        delivery.save()
        deliveries.deliver.func(str(delivery.pk))
        return Delivery.objects.get(pk=delivery.pk).problem


@pytest.fixture
def places(
    transactional_db, settings, connect, grant, build, developer_client, application
) -> Iterator[Places]:
    connection = connect("sandbox_api_key", name="People", link_name="people")
    authorization = grant(connection, secret={"key": "k"})
    build("Find", connection)
    build("Find all", *[connection] * MAX_CALLS)
    webhook = Webhook.objects.create(
        organization=application.organization,
        application=application,
        url="https://hooks.example.com/x",
        secret=new_secret(),
    )
    _, key = create_key(
        application, application.organization, "development", connection.created_by, "A program"
    )
    yield Places(settings, developer_client, key, authorization, webhook)


def test_responses_are_limited_in_size_and_memory(places: Places) -> None:
    with places.meet("fine"):
        for place in (places.run, places.test, places.deliver):
            place()  # imports and caches of the first call are not growth
    for misdeed in QUICK:
        with places.meet(misdeed):
            for place in (places.run, places.test, places.deliver):
                began = time.monotonic()
                with at_most(GROWN):
                    message = place()
                what = f"{misdeed} {place.__name__}"
                assert time.monotonic() - began < Timeout().read + MARGIN_SECONDS, what
                assert len(message) <= 2 * ONE_MEBIBYTE, what
                assert "Traceback" not in message, what


def test_a_run_of_many_calls_is_limited(places: Places) -> None:
    with places.meet("fine"):
        places.run("find_all")
    with places.meet("long-json"), at_most(GROWN_IN_A_RUN):
        message = places.run("find_all")
    assert "exceed 8 MiB in total" in message


@pytest.mark.slow("Each waits as long as a service may take: fifteen seconds, all at once.")
def test_endless_responses_are_cut_off_in_time(places: Places) -> None:
    def take(place: Callable[[], str]) -> float:
        began = time.monotonic()
        try:
            place()
        finally:
            connections.close_all()
        return time.monotonic() - began

    with places.meet("dripping-body"), ThreadPoolExecutor(3) as threads:
        took = list(threads.map(take, (places.run, places.test, places.deliver)))
    assert max(took) < Timeout().total + MARGIN_SECONDS
