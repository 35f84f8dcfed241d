"""Limits of calls in progress, and what nginx does when it is reloaded or loses a worker."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.gateway.nginx_server import nginx
from tests.gateway.scripted_service import OK

#: The limit for one service in each of the two workers of nginx (conftest.py).
AT_ONCE = 24


def test_a_service_that_hangs_gets_only_so_many_calls(paths):
    def slow(sock, request):
        time.sleep(1)
        sock.sendall(OK)

    paths.item.answers["/api/slow"] = slow
    with ThreadPoolExecutor(80) as threads:
        answers = list(threads.map(lambda _: paths.call("/slow"), range(80)))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert AT_ONCE <= len(answers) - len(refused) <= 2 * AT_ONCE
    assert len(paths.item.received) == len(answers) - len(refused)
    for answer in refused:
        assert answer.json()["type"].endswith("/service-busy")
        assert 2 <= int(answer.headers["Retry-After"]) <= 8
        assert answer.headers["Console-Request-Id"]
    # Afterwards all places are free again.
    assert [paths.call().status_code for _ in range(30)] == [200] * 30
    problems = [row[3] for row in paths.log() if row[1] == "/api/slow"]
    assert problems.count("service-busy") == len(refused)


def test_a_reload_breaks_no_call(paths, tmp_path):
    def slow(sock, request):
        time.sleep(1)
        sock.sendall(OK)

    paths.item.answers["/api/slow"] = slow
    with nginx(tmp_path / "nginx", paths.console.url) as proxy, ThreadPoolExecutor(8) as threads:

        def call(path):
            url = proxy.address("item", path)
            return requests.get(url, headers=paths.console.headers, timeout=10).status_code

        assert call("x") == 200
        waiting = [threads.submit(call, "slow") for _ in range(8)]
        time.sleep(0.3)
        before = proxy.workers
        os.kill(proxy.main, signal.SIGHUP)
        assert [each.result() for each in waiting] == [200] * 8
        assert call("x") == 200
        time.sleep(0.5)
        assert not set(before) & set(proxy.workers)
        assert " [error] " not in proxy.errors


def test_a_worker_that_dies_is_replaced(paths, tmp_path):
    with nginx(tmp_path / "nginx", paths.console.url) as proxy:
        url = proxy.address("item", "x")
        assert requests.get(url, headers=paths.console.headers, timeout=10).status_code == 200
        before = proxy.workers
        os.kill(before[0], signal.SIGKILL)
        time.sleep(0.5)
        assert len(proxy.workers) == 2
        statuses = [
            requests.get(url, headers=paths.console.headers, timeout=10).status_code
            for _ in range(10)
        ]
        assert statuses == [200] * 10
