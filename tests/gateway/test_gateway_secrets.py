"""Secrets are in no file, no log and no plain text in shared memory; forged answers are refused."""

from __future__ import annotations

import hashlib
import hmac
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import requests
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.gateway.nginx_server import SECRET, nginx


def test_no_secret_is_in_a_file_a_log_or_shared_memory(paths):
    """Calls that succeed and fail in each way, while routes are in shared memory."""

    def ends(sock, request):
        sock.close()

    def breaks(sock, request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
        sock.close()

    user = {"Console-User": paths.keys.user_token}
    for name in ("item", "query", "mine", "oauth_6", "stranger", "tls"):
        for service in paths.services.values():
            service.answers |= {"/api/ends": ends, "/api/breaks": breaks}
        for path in (
            "/x?canary-in-query=1",
            "/ends?canary-in-query=1",
            "/breaks?canary-in-query=1",
        ):
            with suppress(requests.RequestException):
                paths.call(path, name, headers=user)
    used = {
        value
        for service in paths.services.values()
        for each in service.received
        for value in each.all("X-Api-Key") + each.all("Authorization") + [each.target]
    }
    # The services received what is looked for.
    assert {"canary-key-of-item", "canary-key-of-mine", "Bearer canary-access-token-6"} <= used
    assert any("api_key=canary-key-of-query" in value for value in used)
    paths.call("/x", "item")
    memory = paths.nginx.shared_memory()
    assert b"CDN-Loop" not in memory
    assert b"dropped_header" in memory  # the rules are there, in plain text
    everything = memory + paths.nginx.files() + paths.console.log.read_bytes()
    for secret in (b"canary-", paths.keys.key.encode(), paths.keys.user_token.encode()):
        assert secret not in everything
    assert hashlib.sha256(paths.keys.key.encode()).hexdigest().encode() not in memory


def test_no_message_between_nginx_and_the_console_is_in_plain_text(paths, tmp_path):
    with _between(paths.console.url) as (url, passed), nginx(tmp_path / "nginx", url) as proxy:
        answer = requests.get(proxy.address("item", "x"), headers=paths.console.headers, timeout=10)
        assert answer.status_code == 200
    assert any(b"POST /internal/route" in data for data in passed)
    internal = b"".join(data for data in passed if b"/internal/" in data or b"octet" in data)
    assert b"canary" not in internal
    assert paths.keys.key.encode() not in internal


def test_answers_of_a_console_with_another_secret_are_refused(paths, tmp_path):
    """nginx then leaves all calls to the Python path."""
    with nginx(tmp_path / "nginx", paths.console.url, secret="another-" * 8) as proxy:
        answer = requests.get(proxy.address("item", "x"), headers=paths.console.headers, timeout=10)
        assert answer.status_code == 200
        assert len(paths.item.received) == 1
        assert paths.item.received[0].all("X-Api-Key") == ["canary-key-of-item"]


ROUTE = b'{"route": {"addresses": [["127.0.0.1", %d]]}, "rules_version": "x"}'


def _sealed(nonce: bytes, text: bytes, path: bytes = b"/internal/route") -> bytes:
    key = hmac.digest(SECRET.encode(), b"answer" + nonce, "sha256")
    iv = os.urandom(12)
    return iv + AESGCM(key).encrypt(iv, text, path)


@pytest.mark.parametrize("kind", ["plain", "noise", "replayed", "other path", "cut", "extended"])
def test_forged_answers_are_refused(paths, tmp_path, kind):
    """A false console in the middle answers in the place of the real one."""
    first: list[bytes] = []

    def forged(request: bytes, real: bytes) -> bytes:
        nonce = request.partition(b"\r\n\r\n")[2][:32]
        body = real.partition(b"\r\n\r\n")[2]
        first.append(body)
        text = ROUTE % int(paths.services["private"].url.rpartition(":")[2])
        body = {
            "plain": text,
            "noise": os.urandom(len(body)),
            "replayed": first[0] if len(first) > 1 else os.urandom(100),
            "other path": _sealed(nonce, text, b"/internal/calls"),
            "cut": body[:-1],
            "extended": body + b"x",
        }[kind]
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    with (
        _between(paths.console.url, forged) as (url, _),
        nginx(tmp_path / "nginx", url) as proxy,
    ):
        for _ in range(3):
            answer = requests.get(
                proxy.address("item", "x"), headers=paths.console.headers, timeout=10
            )
            assert answer.status_code == 200  # by the Python path
            time.sleep(0.6)
    assert len(first) >= 2
    assert paths.services["private"].received == []


@contextmanager
def _between(console_url, forged=None) -> Iterator[tuple[str, list[bytes]]]:
    """Pass connections on to the console, record them, and forge the answers about routes."""
    console = ("127.0.0.1", int(console_url.rpartition(":")[2]))
    listener, passed = socket.create_server(("127.0.0.1", 0)), []

    def speak(sock: socket.socket) -> None:
        with suppress(OSError), sock, socket.create_connection(console, timeout=10) as other:
            request = sock.recv(65536)
            is_internal = request.startswith(b"POST /internal/route")
            while is_internal and len(request.partition(b"\r\n\r\n")[2]) < _length(request):
                request += sock.recv(65536)
            passed.append(request)
            other.sendall(request)
            if is_internal:
                answer = b""
                while not answer or len(answer.partition(b"\r\n\r\n")[2]) < _length(answer):
                    answer += other.recv(65536)
                passed.append(answer)
                sock.sendall(forged(request, answer) if forged else answer)
                return
            threading.Thread(target=_pump, args=(other, sock), daemon=True).start()
            while data := sock.recv(65536):
                other.sendall(data)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=speak, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", passed
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _length(message: bytes) -> int:
    head = message.partition(b"\r\n\r\n")[0].lower()
    return int(head.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
