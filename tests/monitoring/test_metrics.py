from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.urls import reverse
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from connections.models import Authorization
from console.invocations.log_writer import LogWriter
from console.monitoring.metrics import ManyTimesHistogram
from tests.invocations.lines import call_line

TOKEN = "a-token-of-these-tests"
URL = reverse("metrics")


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    cache.clear()


@pytest.fixture
def gather(client, settings):
    """Return a function that scrapes the metrics and parses them."""
    settings.METRICS_TOKEN = TOKEN

    def get() -> dict:
        response = client.get(URL, headers={"Authorization": f"Bearer {TOKEN}"})
        assert response.status_code == 200
        families = text_string_to_metric_families(response.content.decode())
        return {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in families
            for sample in family.samples
        }

    return get


def call(**fields) -> None:
    writer = LogWriter()
    shared = {"connector": "slack", "environment": "stage", "milliseconds": 70}
    writer.add(call_line(**{**shared, **fields}))
    assert writer.write()


def test_without_a_token_setting_it_is_404(client, db):
    assert client.get(URL, headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe9"]
)
def test_it_requires_the_token(client, db, settings, given):
    settings.METRICS_TOKEN = TOKEN
    response = client.get(URL, headers={"Authorization": given})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_it_counts_calls(gather, db):
    key = ("console_invocations_total", "slack", "stage", "worked")
    before = gather().get(key, 0)
    call()
    call(status=503)
    text = gather()
    assert text[key] == before + 1
    assert text[("console_invocations_total", "failed", "slack", "stage")] >= 1
    assert text[("console_invocation_seconds_bucket", "0.1", "slack", "stage")] >= 2


def test_many_equal_observations_are_those_of_the_library():
    def text(kind, observe):
        registry = CollectorRegistry()
        family = kind("t", "Times", ["who"], buckets=(0.1, 1), registry=registry)
        for amount, times in ((0.1, 3), (0.5, 2), (7, 1)):
            observe(family.labels("a"), amount, times)
        lines = generate_latest(registry).decode().splitlines()
        return [line for line in lines if "_created" not in line]

    def one_by_one(child, amount, times):
        for _ in range(times):
            child.observe(amount)

    expected = text(Histogram, one_by_one)
    assert 't_bucket{le="0.1",who="a"} 3.0' in expected
    assert text(ManyTimesHistogram, ManyTimesHistogram.observe_many) == expected


def test_it_counts_authorizations_by_state(gather, connect, grant, django_assert_num_queries):
    grant(connect())
    Authorization.objects.update(state="revoked")
    with django_assert_num_queries(1):
        text = gather()
    assert text[("console_authorizations", "revoked")] == 1
    assert text[("console_authorizations", "active")] == 0
    with django_assert_num_queries(0):
        gather()


def test_it_counts_dropped_rows_of_the_log(gather, db):
    before = gather()[("console_invocation_log_dropped_total",)]
    writer = LogWriter(max_rows=1)
    writer.add(call_line())
    writer.add(call_line())
    assert gather()[("console_invocation_log_dropped_total",)] == before + 1


def test_labels_have_no_people_organizations_or_urls(
    gather, application, connect, grant, developer
):
    grant(connect(name="Secret plan"), label="alice@example.com")
    people = {"organization_id": application.organization_id, "user_id": developer.pk}
    call(**people, connector="")
    text = str(gather())
    assert "'none'" in text
    hidden = ("secret", "Secret plan", "alice", "developer@", "ck_dev", "Studio", "api.example")
    assert [word for word in (*hidden, str(application.organization_id)) if word in text] == []


def test_metrics_of_processes_are_added_up(tmp_path):
    """Two workers share a folder, and each of them exposes the metrics of both."""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    start = (
        "import django; django.setup(); from django.core.cache import cache; "
        "from console.monitoring import metrics, prometheus; "
    )
    count = (
        "metrics.REFRESHES.labels('slack', 'renewed').inc(2); metrics.WAITING.set(5); "
        "metrics.SECONDS.labels('slack', 'stage').observe(0.3); "
    )
    gather = (
        "cache.set('metrics/authorizations', {'active': 3}); "
        "print(prometheus.exposition().decode())"
    )
    run = {"env": environment, "cwd": configured.BASE_DIR, "check": True, "timeout": 60}
    first = f"{start}{count}metrics.forget_process()"
    subprocess.run([sys.executable, "-c", first], **run)
    text = subprocess.run(
        [sys.executable, "-c", start + count + gather], capture_output=True, text=True, **run
    ).stdout
    assert 'console_refreshes_total{connector="slack",outcome="renewed"} 4.0' in text
    assert "console_invocation_log_waiting 5.0" in text  # an ended process has no waiting rows
    assert 'console_authorizations{state="active"} 3.0' in text
