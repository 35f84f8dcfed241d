"""Measure a real server: requests a second, memory, bytes sent, start time."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests

from tests.bench.figures import FIRST_PAGE_KB, Figure
from tests.servers import (
    ROOT,
    collect_compressed_files,
    console_demo,
    end,
    free_port,
    set_up_demo,
)

CLIENTS = 4
LOAD_SECONDS = 5
STARTS = 5
START = (
    "import time; begin = time.perf_counter(); import django; django.setup(); "
    "from connectors.definitions.registry import get_connectors; get_connectors(); "
    "print(time.perf_counter() - begin)"
)
#: Time and memory of reading the catalogue in a new process.
CATALOGUE = (
    "import django, gc, time; django.setup(); "
    "from connectors.definitions import registry; gc.collect(); "
    "memory = lambda: int(open('/proc/self/statm').read().split()[1]) * 4096 / 2**20; "
    "before, begin = memory(), time.perf_counter(); registry.get_connectors(); "
    "print(time.perf_counter() - begin, memory() - before)"
)
CATALOGUE_MS, CATALOGUE_MIB = 150, 10
PAGE = "/microservices/"
ASSET = re.compile(r'(?:href|src)="([^"#]+\.(?:css|js|svg))(?:#[^"]*)?"')


def served(database: str, environment: Mapping[str, str], cookie: str) -> Iterator[Figure]:
    """Measure the list of connections on a real server, with clients on this machine."""
    headers = {"Cookie": cookie, "Accept-Encoding": "gzip, br"}
    with _console(environment) as (process, url):
        requests.get(url + PAGE, headers=headers, timeout=30).raise_for_status()
        memory = resident_megabytes(process.pid)
        with ThreadPoolExecutor(CLIENTS) as clients:
            deadline = time.monotonic() + LOAD_SECONDS
            answered = sum(
                clients.map(_ask_until, [url] * CLIENTS, [headers] * CLIENTS, [deadline] * CLIENTS)
            )
    yield Figure(
        name=f"{database}: list by granian, {CLIENTS} clients",
        value=answered / LOAD_SECONDS,
        unit="requests/s",
    )
    yield Figure(
        name=f"{database}: memory of the console after the first page", value=memory, unit="MB"
    )


def starting(environment: Mapping[str, str]) -> Iterator[Figure]:
    """Measure the start of the console, and the catalogue's share of it."""
    times = [_run_program(START, environment)[0] for _ in range(STARTS)]
    yield Figure(
        name="start: django.setup and catalogue", value=statistics.median(times) * 1000, unit="ms"
    )
    for cached in (False, True):
        results = []
        for _ in range(STARTS):
            if not cached:
                (ROOT / "var" / "catalogue.json").unlink(missing_ok=True)
            results.append(_run_program(CATALOGUE, environment))
        name = f"catalogue, {'from the cache' if cached else 'from its files'}"
        seconds, mebibytes = (statistics.median(values) for values in zip(*results, strict=True))
        yield Figure(name=f"{name}: time", value=seconds * 1000, unit="ms", aim=CATALOGUE_MS)
        yield Figure(name=f"{name}: memory", value=mebibytes, unit="MiB", aim=CATALOGUE_MIB)


def _run_program(program: str, environment: Mapping[str, str]) -> list[float]:
    """Run a program in a new process and return the numbers that it prints."""
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, **environment, "DJANGO_SETTINGS_MODULE": "console.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(number) for number in finished.stdout.split()]


def first_pages(folder: Path) -> Iterator[Figure]:
    """Measure the bytes that the demo sends to a browser with an empty cache, with headers."""
    set_up_demo(folder)
    collect_compressed_files(folder)
    with console_demo(folder) as demo, requests.Session() as browser:
        browser.headers["Accept-Encoding"] = "gzip, br"
        sign_in = f"{demo.url}/accounts/login/"
        yield _weight("first page, sign in", browser, sign_in)
        form = browser.get(sign_in, timeout=30).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        browser.post(
            sign_in,
            data={
                "login": "developer@studio.example",
                "password": demo.password,
                "csrfmiddlewaretoken": token[1] if token else "",
            },
            timeout=30,
        ).raise_for_status()
        for name, path in {
            "home": "/",
            "list": PAGE,
            "gallery": f"{PAGE}new/",
        }.items():
            yield _weight(f"first page, {name}", browser, demo.url + path)


def _weight(name: str, browser: requests.Session, url: str) -> Figure:
    page = browser.get(url, timeout=30)
    if urlsplit(page.url).path != urlsplit(url).path:
        raise RuntimeError(f"{url} led to {page.url}.")
    assets = {urljoin(url, found) for found in ASSET.findall(page.text)}
    if not assets:
        raise RuntimeError(f"{url} has no assets.")
    size = sum(_bytes_sent(browser, address) for address in (url, *assets))
    return Figure(
        name=f"{name}: bytes over the wire", value=size / 1000, unit="kB", aim=FIRST_PAGE_KB
    )


def _bytes_sent(browser: requests.Session, url: str) -> int:
    """Return the size of a response as sent: status line, headers, compressed body."""
    with browser.get(url, timeout=30, stream=True) as response:
        response.raise_for_status()
        body = response.raw.read(decode_content=False)
        head = sum(len(f"{name}: {value}\r\n") for name, value in response.raw.headers.items())
    return len("HTTP/1.1 200 OK\r\n\r\n") + head + len(body)


@contextmanager
def _console(environment: Mapping[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run the console as the demo does; yield the process and the URL."""
    port = free_port()
    url = f"http://localhost:{port}"
    options = ["--interface", "asginl", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "granian",
            *options,
            "console.asgi:application",
        ],
        cwd=ROOT,
        env={**os.environ, "WEB_THREADS": "4", **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"{url}/readyz", process)
        yield process, url
    finally:
        end(process)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(url, timeout=2).raise_for_status()
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{url} does not answer.")


def _ask_until(url: str, headers: Mapping[str, str], deadline: float) -> int:
    answered = 0
    with requests.Session() as client:
        while time.monotonic() < deadline:
            client.get(url + PAGE, headers=dict(headers), timeout=30).raise_for_status()
            answered += 1
    return answered


def resident_megabytes(pid: int) -> float:
    """Return the resident memory of a process and its children."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True
    ).stdout
    rows = [tuple(map(int, line.split())) for line in listed.splitlines()]
    family = {pid}
    for child, parent, _ in sorted(rows):
        if parent in family:
            family.add(child)
    return sum(kilobytes for child, _, kilobytes in rows if child in family) / 1024
