"""Bytes through the console as it is deployed, with and without nginx in front.

A service sends the bytes that a test defines and records every byte that it receives. The first
test waits for a separate console with its own database, mostly for migrations.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from developer_console_client import Console

from tests.security.served_console import Served, filled, served
from tests.servers import ROOT, free_port, running, unavailable, wait_for_page

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GUIDE = ROOT / "docs" / "guides" / "operator.md"
NGINX = """
{user}daemon off; pid {folder}/nginx.pid; error_log stderr error;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    {guide}
    location /direct/ {{ proxy_pass {service}/; }}
    location /protected/ {{ internal; alias {folder}/files/; }}
  }}
}}
"""


class Service:
    """Answer each request with ``answer``, one request for each connection."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.answer = OK
        self._bound = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._bound.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._bound.accept()
                with sock, suppress(OSError):
                    self.asked.append(sock.recv(65536))
                    sock.sendall(self.answer)

    def close(self) -> None:
        self._bound.shutdown(socket.SHUT_RDWR)
        self._bound.close()


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.fixture(autouse=True)
def as_at_first(service: Service) -> None:
    service.answer = OK
    service.asked.clear()


@pytest.fixture(scope="module")
def console(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("transparency")
    environment, key = filled(folder, {"heard": service.url})
    with served(environment, key, folder) as console:
        yield console


@pytest.fixture(scope="module")
def behind_nginx(
    console: Served, service: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """Run nginx in front as the operators' guide describes, with its own files; return its port."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        unavailable("nginx is not installed (tests/setup.py)", wanted_in_ci=False)
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    folder.chmod(0o755)
    (folder / "files").mkdir()
    (folder / "files" / "secret.txt").write_text("what nobody may read")
    block = re.search(r"```nginx\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    guide = block[1].replace("http://127.0.0.1:8000", console.url).replace("$host", "localhost")
    user = "user root; " if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(
        NGINX.format(user=user, folder=folder, port=port, guide=guide, service=service.url)
    )
    command = [nginx, "-p", str(folder), "-c", str(configuration)]
    log = folder / "nginx.log"
    with running(*command, log=log, folder=folder, environment=dict(os.environ)) as process:
        wait_for_page(f"http://127.0.0.1:{port}/readyz", log, process)
        yield port


def ask(port: int, key: str, target: bytes, *headers: bytes) -> bytes:
    """Send a request unchanged and return the whole response."""
    lines = [
        b"GET " + target + b" HTTP/1.1",
        b"Host: localhost",
        b"Authorization: Bearer " + key.encode(),
        b"Connection: close",
        *headers,
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(b"\r\n".join([*lines, b"", b""]))
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
    return answer


def port_of(console: Served) -> int:
    return int(console.url.rpartition(":")[2])


CALL = b"/api/v1/connections/heard/proxy"
TARGETS = [
    b"",
    b"/",
    b"/projects/group%2Fproject",
    b"/queues/%2F/orders?columns=name%2cvhost",
    b"/%C3%A9/%FF/a%20b/%7e",
    b"/a//b;x=1/100%25?b=2&a=1&a=%2F&&c",
]


@pytest.mark.parametrize("target", TARGETS)
def test_the_target_arrives_unchanged(console, service, target):
    assert ask(port_of(console), console.key, CALL + target).startswith(b"HTTP/1.1 200")
    assert service.asked[0].startswith(b"GET /api" + target + b" HTTP/1.1\r\n")


@pytest.mark.parametrize("target", TARGETS)
def test_nginx_as_in_the_guide_keeps_the_target(console, service, behind_nginx, target):
    assert ask(behind_nginx, console.key, CALL + target).startswith(b"HTTP/1.1 200")
    assert service.asked[0].startswith(b"GET /api" + target + b" HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "target", [b"/../me", b"/%2e%2e/me", b"/%252e%252e%252fme", b"/x/..%2f..%2fme", b"/%00"]
)
def test_no_target_leaves_the_api(console, service, target):
    answer = ask(port_of(console), console.key, CALL + target)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"path-refused" in answer
    assert service.asked == []


@pytest.mark.parametrize("value", [b"na\xefve", b"na\xc3\xafve \xe2\x82\xac.pdf", b"plain"])
@pytest.mark.parametrize("is_behind", [False, True])
def test_the_bytes_of_a_header_arrive_in_both_directions(
    console, service, request, value, is_behind
):
    port = request.getfixturevalue("behind_nginx") if is_behind else port_of(console)
    disposition = b'Content-Disposition: attachment; filename="' + value + b'"\r\n'
    service.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + disposition + b"\r\nok"
    answer = ask(port, console.key, CALL + b"/x", b"X-Name: " + value)
    assert b"X-Name: " + value + b"\r\n" in service.asked[0]
    assert b'attachment; filename="' + value + b'"\r\n' in answer


@pytest.mark.parametrize("name", [b"X-Accel-Redirect", b"x-accel-redirect", b"X-Sendfile"])
def test_no_service_reads_the_files_of_nginx(console, service, behind_nginx, name):
    service.answer = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + name + b": /protected/secret.txt\r\n\r\nok"
    )
    answer = ask(behind_nginx, console.key, CALL + b"/x")
    assert answer.endswith(b"\r\n\r\nok")
    assert b"what nobody may read" not in answer
    assert b"/protected/" not in answer
    if b"redirect" in name.lower():  # positive control: without the console, nginx obeys
        assert b"what nobody may read" in ask(behind_nginx, console.key, b"/direct/x")


def test_a_broken_response_is_broken_for_the_program(console, service):
    chunk = b"%x\r\n%b\r\n" % (1 << 20, b"x" * (1 << 20))  # the size that is read ahead
    service.answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 2
    answer = ask(port_of(console), console.key, CALL + b"/long")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"x") > 1 << 20
    assert not answer.endswith(b"0\r\n\r\n")


def test_the_python_client_sends_paths_unchanged(console, service):
    with Console(console.url, console.key).connection("heard") as session:
        assert session.get("/queues/%2F/orders").text == "ok"
        assert session.post("", json={"query": "{ me }"}).text == "ok"
    assert service.asked[0].startswith(b"GET /api/queues/%2F/orders HTTP/1.1\r\n")
    assert service.asked[1].startswith(b"POST /api HTTP/1.1\r\n")
