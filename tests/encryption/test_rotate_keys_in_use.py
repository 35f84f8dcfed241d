"""Rotate keys in a separate process while other processes write to the same database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from cryptography.fernet import Fernet
from django.db import OperationalError, connections

from connections.models import Credential
from console.encryption.models import ScanProgress
from tests.servers import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 800
WRITERS = 4


@pytest.fixture
def keys(settings, studio) -> list[str]:
    """Create many secrets with a key, then put a new key before it."""
    rows = [
        Credential(
            organization=studio, connector_slug="slack", auth_type="api_key", secret={"n": number}
        )
        for number in range(ROWS)
    ]
    Credential.objects.bulk_create(rows)
    ring = [Fernet.generate_key().decode(), *settings.CRYPTOGRAPHY_KEYS]
    settings.CRYPTOGRAPHY_KEYS = ring
    return ring


def start(settings, *arguments: str) -> subprocess.Popen[str]:
    """Start the command as an operator does, with the database of this test."""
    name = settings.DATABASES["default"]["NAME"]
    before, question, query = os.environ["DATABASE_URL"].partition("?")
    url = f"{before.rpartition('/')[0]}/{name}{question}{query}"
    return subprocess.Popen(
        [sys.executable, "manage.py", "rotate_keys", *arguments],
        env={
            **os.environ,
            "DATABASE_URL": f"sqlite:///{name}" if before.startswith("sqlite") else url,
            "CRYPTOGRAPHY_KEYS": ",".join(settings.CRYPTOGRAPHY_KEYS),
        },
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def writers() -> Iterator[list[str]]:
    """Write secrets in several threads; yield their errors."""
    stop, problems = threading.Event(), []

    def write(number: int) -> None:
        keys = list(Credential.objects.order_by("pk").values_list("pk", flat=True)[number::97])
        try:
            while not stop.is_set():
                for key in keys:
                    row = Credential.objects.get(pk=key)
                    row.secret = {**row.secret.reveal(), "by": number}
                    row.save(update_fields=["secret"])
                    time.sleep(0.01)
        except OperationalError as error:
            problems.append(str(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    try:
        yield problems
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def wait_until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.002)


def numbers() -> list[int]:
    return sorted(row.secret.reveal()["n"] for row in Credential.objects.all())


def test_it_finishes_while_others_write(settings, keys):
    with writers() as problems, start(settings) as process:
        output = process.communicate(timeout=120)[0]
    assert process.returncode == 0, output
    assert f"{ROWS} secrets are encrypted with the first key" in output
    assert problems == []
    settings.CRYPTOGRAPHY_KEYS = keys[:1]
    assert numbers() == list(range(ROWS))


def test_the_next_run_continues_after_a_killed_one_and_loses_nothing(settings, keys):
    with writers() as problems:
        with start(settings) as process:
            wait_until(lambda: ScanProgress.objects.filter(done__gte=200).exists())
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        done = ScanProgress.objects.get().done
        assert 200 <= done < ROWS
        assert numbers() == list(range(ROWS))
        with start(settings) as process:
            output = process.communicate(timeout=120)[0]
    assert process.returncode == 0, output
    assert f"Continuing after {done} secrets" in output
    assert f"{ROWS} secrets are encrypted with the first key" in output
    assert problems == []
    settings.CRYPTOGRAPHY_KEYS = keys[:1]
    assert numbers() == list(range(ROWS))
    assert not ScanProgress.objects.exists()
