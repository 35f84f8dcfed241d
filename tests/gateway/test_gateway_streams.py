"""Streams in both directions, and what breaks them off."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
import requests

from tests.gateway.nginx_server import nginx

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data):
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def curl(url, key, *options):
    command = ["curl", "-sS", "-o", os.devnull, "-H", f"Authorization: Bearer {key}", *options, url]
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode


def test_events_arrive_as_they_are_sent(paths):
    sent = []

    def events(sock, request):
        sock.sendall(EVENTS)
        for number in range(5):
            time.sleep(0.2)
            sent.append(time.monotonic())
            sock.sendall(chunk(f"data: {number}\n\n".encode()))
        sock.sendall(b"0\r\n\r\n")

    paths.item.answers["/api/events"] = events
    url, delays = paths.url("item", "/events"), []
    with requests.get(url, headers=paths.console.headers, stream=True, timeout=10) as answer:
        for line in answer.iter_lines(chunk_size=1):
            if line:
                delays.append(time.monotonic() - sent[len(delays)])
    assert len(delays) == 5
    assert sorted(delays)[2] < 0.02


@pytest.mark.parametrize("form", ["chunked", "length"])
def test_a_response_that_breaks_off_is_broken_for_the_program(paths, form):
    whole = b"x" * 100_000
    head = EVENTS if form == "chunked" else b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    body = chunk(whole) + b"0\r\n\r\n" if form == "chunked" else whole
    places = random.Random(7).sample(range(len(body)), 25)
    place = iter(places)

    def breaks(sock, request):
        sock.sendall(head + body[: next(place)])
        sock.shutdown(socket.SHUT_RDWR)
        sock.close()

    paths.item.answers[f"/api/breaks-{form}"] = breaks
    url = paths.url("item", f"/breaks-{form}")
    codes = {curl(url, paths.keys.key) for _ in places}
    assert codes <= {18, 56}  # partial file, or a chunk that is not complete
    rows = [row for row in paths.log() if row[1] == f"/api/breaks-{form}"]
    assert len(rows) == 25
    assert {row[3] for row in rows} == {"service-unreachable"}


def test_a_response_without_length_ends_with_its_connection(paths):
    def ends(sock, request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end")
        sock.close()

    paths.item.answers["/api/ends"] = ends
    assert paths.call("/ends").content == b"to the end"


def test_an_event_stream_may_last_longer(paths):
    """A response may take two seconds here; events come for three (conftest.py)."""

    def events(sock, request):
        sock.sendall(EVENTS)
        for _ in range(30):
            sock.sendall(chunk(b"data: 1\n\n"))
            time.sleep(0.1)
        sock.sendall(chunk(b""))

    paths.item.answers["/api/long"] = events
    for of in ("nginx", "python"):
        assert paths.call("/long", of=of).content == b"data: 1\n\n" * 30


def test_a_service_that_trickles_is_cut_off_in_the_end(paths):
    def trickles(sock, request):
        sock.sendall(EVENTS.replace(b"text/event-stream", b"text/plain"))
        for _ in range(100):
            sock.sendall(chunk(b"."))
            time.sleep(0.1)

    paths.item.answers["/api/trickles"] = trickles
    began = time.monotonic()
    for of in ("nginx", "python"):
        with pytest.raises(requests.RequestException):
            paths.call("/trickles", of=of)
    assert time.monotonic() - began < 8
    problems = {row[3] for row in paths.log() if row[1] == "/api/trickles"}
    assert problems == {"service-timeout"}


def test_a_stream_without_end_is_cut_off_at_the_limit(paths):
    def endless(sock, request):
        sock.sendall(EVENTS)
        while True:
            sock.sendall(chunk(b"x" * 60_000))

    paths.item.answers["/api/endless"] = endless
    with pytest.raises(requests.RequestException):
        paths.call("/endless")
    assert [row[3] for row in paths.log() if row[1] == "/api/endless"] == ["answer-too-large"]


def test_the_service_notices_that_the_program_has_left(paths):
    left = threading.Event()

    def waits(sock, request):
        sock.sendall(EVENTS + chunk(b"first"))
        sock.settimeout(5)
        try:
            if sock.recv(1) == b"":
                left.set()
        except TimeoutError:
            pass

    paths.item.answers["/api/listens"] = waits
    with requests.get(
        paths.url("item", "/listens"), headers=paths.console.headers, stream=True, timeout=10
    ) as answer:
        assert next(answer.iter_content(5)) == b"first"
    assert left.wait(2)
    assert [row[3] for row in paths.log() if row[1] == "/api/listens"] == ["caller-gone"]


def test_a_large_response_does_not_fill_memory(paths):
    def large(sock, request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4800000\r\n\r\n")
        for _ in range(48):
            sock.sendall(b"x" * 100_000)

    def memory():
        statuses = [Path(f"/proc/{pid}/status").read_text() for pid in paths.nginx.workers]
        return sum(int(re.search(r"VmRSS:\s+(\d+)", text)[1]) for text in statuses)

    paths.item.answers["/api/large"] = large
    assert len(paths.call("/large").content) == 4_800_000
    before = memory()
    for _ in range(20):
        assert len(paths.call("/large").content) == 4_800_000
    assert memory() - before < 8_000  # KiB


def test_running_streams_outlive_the_console(paths, tmp_path):
    """New calls get a clear problem meanwhile."""
    go_on = threading.Event()

    def waits(sock, request):
        sock.sendall(EVENTS + chunk(b"first"))
        go_on.wait(10)
        sock.sendall(chunk(b"second") + b"0\r\n\r\n")

    paths.item.answers["/api/waits"] = waits
    worker = paths.console.worker
    with requests.get(
        paths.url("item", "/waits"), headers=paths.console.headers, stream=True, timeout=10
    ) as answer:
        pieces = answer.iter_content(5)
        assert next(pieces) == b"first"
        os.kill(worker, signal.SIGSTOP)
        try:
            go_on.set()
            assert b"".join(pieces) == b"second"
        finally:
            os.kill(worker, signal.SIGCONT)
    assert paths.call("/x").status_code == 200


def test_without_the_console_there_is_a_clear_problem(paths, tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    with nginx(tmp_path / "nginx", url) as proxy:
        for path in ("item/proxy/x", "item/proxy/../x"):
            answer = requests.get(
                f"{proxy.url}/api/v1/connections/{path}",
                headers=paths.console.headers,
                timeout=10,
            )
            assert answer.status_code == 503
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.headers["Retry-After"] == "2"
            assert answer.json()["type"].endswith("/problems/unavailable")


def test_nginx_that_ends_finishes_running_calls(paths, tmp_path):
    go_on = threading.Event()

    def waits(sock, request):
        sock.sendall(EVENTS + chunk(b"first"))
        go_on.wait(10)
        sock.sendall(chunk(b"second") + b"0\r\n\r\n")

    paths.item.answers["/api/waits"] = waits
    with nginx(tmp_path / "nginx", paths.console.url) as ending:
        url = f"{ending.url}/api/v1/connections/item/proxy/waits"
        with requests.get(url, headers=paths.console.headers, stream=True, timeout=10) as answer:
            pieces = answer.iter_content(5)
            assert next(pieces) == b"first"
            os.kill(ending.main, signal.SIGQUIT)
            time.sleep(0.3)
            with pytest.raises(requests.ConnectionError):
                requests.get(url, timeout=2)
            go_on.set()
            assert b"".join(pieces) == b"second"
        time.sleep(0.5)
    assert len([row for row in paths.log() if row[1] == "/api/waits"]) >= 1
