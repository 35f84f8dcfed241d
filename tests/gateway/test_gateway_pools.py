"""Connections to services: never shared between credentials, and only to validated addresses."""

from __future__ import annotations

import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.gateway.nginx_server import FILES, is_by_nginx, nginx


def test_connections_are_reused_by_one_credential_and_never_by_another(paths):
    names = ["item", "again", "mine"] * 40
    user = {"Console-User": paths.keys.user_token}
    with ThreadPoolExecutor(12) as threads:
        statuses = list(
            threads.map(lambda name: paths.call("/x", name, headers=user).status_code, names)
        )
    assert statuses == [200] * len(names)
    by_connection = {}
    for each in paths.item.received:
        by_connection.setdefault(each.connection, set()).update(each.all("X-Api-Key"))
    assert len(paths.item.received) == len(names)
    assert all(len(credentials) == 1 for credentials in by_connection.values())
    assert len(by_connection) < len(names) / 2  # they are reused
    assert set.union(*by_connection.values()) == {
        "canary-key-of-item", "canary-key-of-again", "canary-key-of-mine"
    }  # fmt: skip


def test_a_name_that_leads_to_a_private_address_is_not_called(paths):
    canary = paths.services["private"]
    before = canary.connections
    for _ in range(3):
        answer = paths.call("/x", "private")
        assert answer.status_code == 502
        assert answer.json()["type"].endswith("/service-forbidden")
    assert canary.connections == before
    # The positive control: nginx does connect to such an address where it is allowed.
    control = paths.item.connections
    paths.call("/x", "item")
    time.sleep(0.1)
    assert paths.item.connections >= control
    assert len(paths.item.received) == 1


def test_the_certificate_must_be_for_the_name(paths):
    assert paths.call("/x", "tls").status_code == 200
    assert paths.services["tls"].received[0].all("Host") == [
        paths.services["tls"].url.removeprefix("https://")
    ]
    answer = paths.call("/x", "stranger")
    assert answer.status_code == 502
    assert answer.json()["type"].endswith("/service-unreachable")
    assert paths.services["stranger"].received == []


def test_connections_over_tls_are_reused(paths):
    before = paths.services["tls"].connections
    for _ in range(10):
        assert paths.call("/x", "tls").status_code == 200
    assert paths.services["tls"].connections - before <= 3


def test_a_pool_gets_another_owner_only_when_nothing_is_left_in_it(paths, tmp_path):
    """With two pools whose idle connections end after a second; in between, Python calls."""
    files = tmp_path / "files"
    shutil.copytree(FILES, files)
    for name, changes in {
        "slots.conf": {r"keepalive_timeout 30s": "keepalive_timeout 1s"},
        "lua/gateway/slots.lua": {
            r"COUNT = 512": "COUNT = 2",
            r"IDLE_SECONDS = 30": "IDLE_SECONDS = 1",
            r"= 1, 5\n": "= 0.2, 0.4\n",
        },
    }.items():
        text = (files / name).read_text()
        for pattern, new in changes.items():
            text, count = re.subn(pattern, new, text)
            assert count
        (files / name).write_text(text)

    def slow(sock, request):
        time.sleep(3.5)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    paths.item.answers["/api/slow"] = slow
    with (
        nginx(tmp_path / "nginx", paths.console.url, files=files) as proxy,
        ThreadPoolExecutor(1) as thread,
    ):

        def call(name, path="x"):
            headers = {**paths.console.headers, "Console-User": paths.keys.user_token}
            answer = requests.get(proxy.address(name, path), headers=headers, timeout=10)
            assert answer.status_code in {200, 504}
            return is_by_nginx(answer)

        assert [call("item"), call("again"), call("mine")] == [True, True, False]
        time.sleep(3)
        # Both are free again; a call in progress keeps its pool.
        waiting = thread.submit(call, "mine", "slow")
        time.sleep(0.2)
        assert [call("query"), call("item")] == [True, False]
        assert waiting.result()
