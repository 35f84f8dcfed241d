"""Hostile services and the console as it is deployed (security.md X13 to X15)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from connectors.http.http1 import PIECE
from tests.security.hostile_service import BOMB, MEBIBYTE, MISDEEDS, hostile_service
from tests.security.served_console import Served, filled, served

SECONDS = 1.5
MOST_BYTES = 4 * MEBIBYTE
#: The time that a call may take in addition to the service's time limit.
MARGIN_SECONDS = 2.5
GROWN = 16 * MEBIBYTE

BAD = {"service-unreachable", "answer-unintelligible", "answer-too-large"}
EXPECTED: dict[str, set[tuple[int, str]]] = {
    name: {(502, problem) for problem in BAD} | {(504, "service-timeout")} for name in MISDEEDS
} | {
    "fine": {(200, "")},
    "silence": {(504, "service-timeout")},
    "dripping-head": {(504, "service-timeout")},
    "dripping-body": {(504, "service-timeout")},
    # A response without a length is streamed, so the program sees it break off.
    "dripping-chunks": {(200, "broken off")},
    "endless-body": {(200, "broken off")},
    "endless-chunks": {(200, "broken off")},
    "endless-chunk-size": {(200, "broken off")},
    "endless-trailers": {(200, "broken off")},
    "costly-json": {(200, "")},
    "long-json": {(200, "")},
    "far-too-short": {(200, "broken off")},
    "gzip-bomb": {(200, "")},
    "twice-gzipped": {(200, "")},
    "too-long": {(200, "")},
}


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    with hostile_service() as url:
        environment, key = filled(
            folder,
            {"hostile": url},
            PROXY_SECONDS=str(SECONDS),
            PROXY_MAX_ANSWER_BYTES=str(MOST_BYTES),
        )
        with served(environment, key, folder) as console:
            for _ in range(20):  # imports and caches of the first calls are not growth
                assert ask(console, "fine") == (200, "", b"ok")
            yield console


def ask(console: Served, misdeed: str) -> tuple[int, str, bytes]:
    """Return the status, the problem type, and the received part of the body."""
    body = b""
    with requests.get(
        console.address("hostile", misdeed), headers=console.headers, stream=True, timeout=20
    ) as answer:
        problem = answer.headers.get("Console-Problem", "")
        try:
            for piece in answer.raw.stream(65536, decode_content=False):
                body += piece
        except requests.packages.urllib3.exceptions.HTTPError:
            problem = "broken off"
    return answer.status_code, problem, body


@pytest.mark.parametrize("misdeed", MISDEEDS)
def test_no_service_exceeds_its_time_and_memory(console: Served, misdeed: str) -> None:
    worker, before, logged = console.worker, console.memory(), len(console.log.read_text())
    console.forget_peak()
    began = time.monotonic()

    status, problem, body = ask(console, misdeed)

    assert (status, problem) in EXPECTED[misdeed], body[:500]
    assert time.monotonic() - began < SECONDS + MARGIN_SECONDS
    assert console.memory("VmHWM") - before <= GROWN
    assert len(body) <= MOST_BYTES + MEBIBYTE
    # Nothing remains for the next call.
    assert ask(console, "fine") == (200, "", b"ok")
    assert console.worker == worker
    assert status == 200 or "Traceback" not in console.log.read_text()[logged:]


@pytest.mark.parametrize("misdeed", ["endless-body", "endless-chunks"])
def test_a_cut_response_is_logged(console: Served, misdeed: str) -> None:
    # The piece beyond the limit is not passed on.
    assert MOST_BYTES - PIECE < len(ask(console, misdeed)[2]) <= MOST_BYTES
    deadline = time.monotonic() + 5
    told: list[tuple] = []
    while not told and time.monotonic() < deadline:
        time.sleep(0.2)
        told = console.rows(
            "SELECT problem FROM invocations_invocation "
            f"WHERE path = '/api/{misdeed}' AND problem = 'answer-too-large'"
        )
    assert told


def test_a_compression_bomb_is_passed_on_compressed(console: Served) -> None:
    assert ask(console, "gzip-bomb")[2] == BOMB


def test_many_at_once_are_limited_too(console: Served) -> None:
    """The worker answers thirty concurrent calls of every kind, and then a normal one."""
    before = console.memory()
    console.forget_peak()
    names = [name for name in MISDEEDS if name != "fine"][:30]
    with ThreadPoolExecutor(len(names)) as threads:
        answers = list(threads.map(lambda name: ask(console, name)[:2], names))
    for name, answer in zip(names, answers, strict=True):
        assert answer in EXPECTED[name], name
    assert console.memory("VmHWM") - before <= 4 * GROWN
    assert ask(console, "fine") == (200, "", b"ok")
