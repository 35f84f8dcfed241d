from __future__ import annotations

import gzip
import json
import os
import socket
import threading
import time
import tracemalloc
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
import requests
import responses

from connectors.errors import (
    ServiceError,
    ServiceForbidden,
    ServiceRefused,
    ServiceUnintelligible,
    ServiceUnreachable,
)
from connectors.http import http_client
from connectors.http.http_client import Timeout

QUICK = Timeout(connect=0.5, read=0.5, total=1)

#: Spellings of addresses of this machine and of private networks; `%d` is the port.
LITERALS = """
127.0.0.1 127.0.0.1. 127.1 127.0.1 127.1.2.3 2130706433 017700000001 0x7f000001 0x7f.1 0x7f.0.0.1
0177.0.0.1 0177.1 00000177.1 127.0.0.0x1 0 0.0.0.0 0x0 00 0.0 localhost LOCALHOST localhost.
LocalHost.localdomain 10.0.0.1 172.16.0.1 192.168.0.1 169.254.169.254 0xa9fea9fe 2852039166
100.64.0.1 100.100.100.200 168.63.129.16 192.0.0.192 198.18.0.1 224.0.0.1 240.0.0.1
255.255.255.255 [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1]
[::7f00:1] [64:ff9b::7f00:1] [64:ff9b::127.0.0.1] [2002:7f00:1::] [2002:7f00:1::1] [fe80::1]
[fe80::1%%25lo] [fec0::1] [fc00::1] [fd00:ec2::254] [ff02::1] [2001:0:7f00:1::] 127.0.0.1%%2f
0X7F000001 0X7f.1 0177.0.1 127.0.0.00000001 0x7f.0x0.0x0.0x1 0177.0000.0000.0001 2130706433.
0x7f000001. 127.0.0.1.. 4294967295 0xffffffff 3232235521 0xc0a80001 192.168.257 167772161 0x0a000001
012.0.0.1 0xa.0.0.1 10.1 172.16.1 169.254.43518 0xa9.254.169.254 0251.254.0251.0376
[0000:0000:0000:0000:0000:0000:0000:0001] [0::1] [::ffff:10.0.0.1] [::ffff:a9fe:a9fe]
[64:ff9b::a9fe:a9fe] [2002:a9fe:a9fe::1] [fd12:3456:789a::1]
user@127.0.0.1 127.0.0.%%31 127。0。0。1 １２７.0.0.1
""".replace("%%", "%").split()  # noqa: RUF001


def test_it_works(service) -> None:
    service.answers({"name": "Zoë"}, X_Rate="5")

    answer = http_client.send(
        "POST",
        f"{service.url}/v1/users",
        service="Zoho CRM",
        headers={"X-Key": "k"},
        params={"q": "a b&c"},
        json={"x": 1},
    )

    assert (answer.status, answer.json(), answer.headers["x-rate"]) == (200, {"name": "Zoë"}, "5")
    request = service.only
    assert (request.method, request.path, request.query) == ("POST", "/v1/users", {"q": ["a b&c"]})
    assert request.body == b'{"x": 1}'
    assert request.all("X-Key") == ["k"]
    assert request.all("Host") == [f"127.0.0.1:{service.port}"]
    assert request.all("Accept-Encoding") == ["identity"]
    assert request.all("User-Agent")[0].startswith("DeveloperConsole/")


def test_it_sends_forms_and_bodies(service) -> None:
    http_client.send("POST", service.url, service="Zoho CRM", form={"a": "1 2", "b": "ü"})
    http_client.send("POST", service.url, service="Zoho CRM", data=b"<raw/>")

    assert service.asked[0].form == {"a": ["1 2"], "b": ["ü"]}
    assert service.asked[1].body == b"<raw/>"


def test_it_works_with_the_responses_library() -> None:
    with responses.RequestsMock() as mocked:
        mocked.get("https://api.example.com/me", json={"id": 7}, status=418)
        answer = http_client.send("GET", "https://api.example.com/me", service="Zoho CRM")

    assert (answer.status, answer.json()) == (418, {"id": 7})


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", LITERALS)
def test_it_does_not_connect_to_private_addresses(listen, settings, scheme: str, host: str) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = []
    canary = listen()

    with pytest.raises((ServiceForbidden, ServiceUnreachable)) as caught:
        http_client.send(
            "GET", f"{scheme}://{host}:{canary.port}/", service="Zoho CRM", timeout=QUICK
        )

    assert caught.value.certain
    assert canary.connections == 0


def test_it_connects_to_a_private_address_that_is_allowed(listen, settings) -> None:
    """The positive control for the tests with a canary."""
    canary = listen()
    settings.ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{canary.port}"]

    with pytest.raises(ServiceUnreachable):
        http_client.send(
            "GET", f"http://127.0.0.1:{canary.port}/", service="Zoho CRM", timeout=QUICK
        )

    assert canary.connections == 1


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["2606:4700::1111", "127.0.0.1"], ["::1", "1.1.1.1"], ["169.254.169.254"]],
)
def test_it_refuses_a_host_with_one_private_address_among_several(
    listen, resolving, addresses
) -> None:
    canary = listen()
    lookups = resolving(addresses)

    with pytest.raises(ServiceForbidden, match="private network"):
        http_client.send(
            "GET", f"https://rebind.example:{canary.port}/", service="Zoho CRM", timeout=QUICK
        )

    assert lookups == ["rebind.example"]
    assert canary.connections == 0


def test_it_resolves_once_and_connects_to_the_validated_address(listen, resolving) -> None:
    canary = listen()
    # Nothing answers at the first address; a second look would find the canary.
    lookups = resolving(["2001:4860:ffff:ffff::1"], ["127.0.0.1"])

    with pytest.raises(ServiceUnreachable):
        http_client.send(
            "GET",
            f"https://rebind.example:{canary.port}/",
            service="Zoho CRM",
            timeout=Timeout(connect=0.2, read=0.2, total=0.5),
        )

    assert lookups == ["rebind.example"]
    assert canary.connections == 0


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize("target", ["canary", "self", "relative"])
def test_it_does_not_follow_redirects(service, listen, status: int, target: str) -> None:
    canary = listen()
    location = {
        "canary": f"http://127.0.0.1:{canary.port}/",
        "self": f"{service.url}/again",
        "relative": "/again",
    }[target]
    service.answers(b"", status=status, Location=location)

    with pytest.raises(ServiceUnintelligible, match="redirected") as caught:
        http_client.send("POST", service.url, service="Zoho CRM", form={"client_secret": "s"})

    assert not caught.value.certain
    assert canary.connections == 0
    assert len(service.asked) == 1


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"])
def test_it_ignores_proxies_of_the_environment(service, listen, monkeypatch, name: str) -> None:
    canary = listen()
    monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    monkeypatch.setenv("NO_PROXY", "")

    assert http_client.send("GET", service.url, service="Zoho CRM").status == 200
    assert canary.connections == 0


def test_it_ignores_netrc(service, monkeypatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login root password hunter2\n")
    os.chmod(netrc, 0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    http_client.send("GET", service.url, service="Zoho CRM")

    assert service.only.all("Authorization") == []


PLAIN = json.dumps({"access_token": "at-1", "padding": "é" * 70_000}, ensure_ascii=False).encode()
SMALL = b'{"access_token": "at-1"}'


def raw_deflate(data: bytes) -> bytes:
    """Compress without the header of RFC 1950, as some services do."""
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return squeeze.compress(data) + squeeze.flush()


COMPRESSED = {
    "gzip": ("gzip", gzip.compress),
    "spelled otherwise": (" GZip ", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "beside identity": ("identity, gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate without its header": ("deflate", raw_deflate),
    "two members": ("gzip", lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])),
    "with padding": ("gzip", lambda data: gzip.compress(data) + b"\0" * 512),
    "nothing": ("identity", bytes),
}


@pytest.mark.parametrize("body", [SMALL, PLAIN, b""], ids=["small", "of several pieces", "empty"])
@pytest.mark.parametrize("compression", COMPRESSED)
def test_it_decodes_a_compressed_response_that_was_not_requested(
    service, compression: str, body: bytes
) -> None:
    coding, compress = COMPRESSED[compression]
    service.answers(compress(body), Content_Encoding=coding)

    answer = http_client.send("GET", service.url, service="Zoho CRM")

    assert answer.body == body
    assert service.only.all("Accept-Encoding") == ["identity"]


def test_a_response_without_a_body_can_name_a_coding(service) -> None:
    service.answers(b"", status=204, Content_Encoding="gzip")

    assert http_client.send("DELETE", service.url, service="Zoho CRM").body == b""


BOMBS = {
    "gzip": gzip.compress(b"\0" * 50_000_000),
    "deflate": zlib.compress(b"\0" * 50_000_000),
    "x-gzip": b"".join([gzip.compress(b"\0" * 100_000)] * 500),
}


@pytest.mark.parametrize("encoding", BOMBS)
def test_it_stops_decoding_at_the_size_limit(service, encoding: str) -> None:
    service.answers(BOMBS[encoding], Content_Encoding=encoding)
    tracemalloc.start()

    with pytest.raises(ServiceUnintelligible, match="decodes to more than 1024 KiB"):
        http_client.send("GET", service.url, service="Zoho CRM")

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * 1024 * 1024, "the limit and buffers"


def test_a_decoded_body_can_be_as_large_as_the_limit(service) -> None:
    service.answers(gzip.compress(b"x" * 4096), Content_Encoding="gzip")
    assert len(http_client.send("GET", service.url, service="S", max_bytes=4096).body) == 4096

    service.answers(gzip.compress(b"x" * 4097), Content_Encoding="gzip")
    with pytest.raises(ServiceUnintelligible, match="decodes to more than 4 KiB"):
        http_client.send("GET", service.url, service="S", max_bytes=4096)


@pytest.mark.parametrize(
    "encoding", ["gzip, gzip", "gzip, deflate", "gzip,gzip,gzip", "br", "zstd", "x-unknown"]
)
def test_the_error_names_an_unsupported_coding(service, encoding: str) -> None:
    service.answers(gzip.compress(gzip.compress(b"{}")), Content_Encoding=encoding)
    named = ", ".join(part.strip() for part in encoding.split(","))

    with pytest.raises(ServiceUnintelligible, match=f"compressed as “{named}”.*gzip and deflate"):
        http_client.send("GET", service.url, service="Zoho CRM")


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b'{"plain": true}'),
        ("gzip", gzip.compress(PLAIN)[:-9]),  # the checksum is missing, and with it the end
        ("gzip", gzip.compress(PLAIN)[:200]),
        ("gzip", gzip.compress(b"{}")[:-8] + b"\0" * 8),
        ("gzip", b"\x1f"),
        ("deflate", zlib.compress(PLAIN)[:-1]),
        ("deflate", b"\xff\xff\xff"),
    ],
    ids=["plain", "no end", "cut", "wrong sum", "one byte", "deflate cut", "no deflate"],
)
def test_it_refuses_invalid_compressed_data(service, encoding: str, body: bytes) -> None:
    service.answers(body, Content_Encoding=encoding)

    with pytest.raises(ServiceUnintelligible, match="compressed answer that cannot be decoded"):
        http_client.send("GET", service.url, service="Zoho CRM")


def test_a_body_can_be_as_large_as_the_limit(service) -> None:
    service.answers(b"x" * 4096)
    assert len(http_client.send("GET", service.url, service="S", max_bytes=4096).body) == 4096

    service.answers(b"x" * 4097)
    with pytest.raises(ServiceUnintelligible, match="larger than 4 KiB"):
        http_client.send("GET", service.url, service="S", max_bytes=4096)


def test_it_stops_reading_an_endless_response(listen, settings) -> None:
    sent = 0

    def speak(sock) -> None:
        nonlocal sent
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sent += sock.send(b"x" * 65536)

    listener = listen(speak)
    settings.ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{listener.port}"]

    with pytest.raises(ServiceUnintelligible, match="larger than 1024 KiB"):
        http_client.send("GET", f"http://127.0.0.1:{listener.port}/", service="Zoho CRM")

    assert sent < 16 * http_client.ONE_MEBIBYTE


def drip(sock, before: bytes, piece: bytes) -> None:
    sock.recv(65536)
    sock.sendall(before)
    for _ in range(40):
        sock.sendall(piece)
        time.sleep(0.05)


SLOW = {
    "nothing at all": (b"", b""),
    "status line": (b"HTTP/1.1 20", b"0"),
    "headers": (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
    "one header after another": (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body of known length": (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"a"),
    "body without a length": (b"HTTP/1.1 200 OK\r\n\r\n", b"a"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "length of a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
}


@pytest.mark.parametrize("part", SLOW)
def test_it_times_out_on_a_slow_service(listen, settings, part: str) -> None:
    listener = listen(lambda sock: drip(sock, *SLOW[part]))
    settings.ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{listener.port}"]
    started = time.monotonic()

    with pytest.raises(ServiceUnreachable, match=r"Zoho CRM did not answer within (0\.5|1) s"):
        http_client.send(
            "GET", f"http://127.0.0.1:{listener.port}/", service="Zoho CRM", timeout=QUICK
        )

    assert time.monotonic() - started < 2


BROKEN = {
    "no answer": b"",
    "not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
    "no chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a thousand headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
    "an endless header": b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("answer", BROKEN)
def test_an_incomplete_response_leaves_the_outcome_uncertain(listen, settings, answer: str) -> None:
    def speak(sock) -> None:
        sock.recv(65536)
        sock.sendall(BROKEN[answer])

    listener = listen(speak)
    settings.ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{listener.port}"]

    with pytest.raises(ServiceError) as caught:
        http_client.send(
            "POST", f"http://127.0.0.1:{listener.port}/", service="Zoho CRM", timeout=QUICK
        )

    assert str(caught.value).startswith("Zoho CRM ")
    assert not caught.value.certain


def test_it_is_certain_that_nothing_was_sent_to_a_closed_port(listen, settings) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1:1"]

    with pytest.raises(ServiceUnreachable, match="nothing answers at its URL") as caught:
        http_client.send("GET", "http://127.0.0.1:1/?key=hunter2", service="Zoho CRM")

    assert caught.value.certain
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_error_says_that_the_host_was_not_found() -> None:
    with pytest.raises(
        ServiceUnreachable, match="Zoho CRM's host name could not be found"
    ) as caught:
        http_client.send("GET", "https://no-such-name.invalid/", service="Zoho CRM")

    assert caught.value.certain


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Key": "a\r\nHost: evil"},
        {"X-Key": "a\nb"},
        {"X-Key": "a\0b"},
        {"X-Key": "key "},
        {"X-Key": " key"},
        {"X-Key": "ключ"},
        {"X-Key": "a\x7f"},
        {"X Key": "a"},
        {"X-Key:": "a"},
        {"X-Key\r\n": "a"},
        {"": "a"},
        {"Host": "evil.example"},
        {"content-length": "0"},
        {"Transfer-Encoding": "chunked"},
        {"Connection": "Authorization"},
        {"Accept-Encoding": "gzip"},
        {"User-Agent": "curl"},
    ],
)
def test_it_refuses_headers_that_frame_the_message(service, headers) -> None:
    with pytest.raises(ServiceForbidden) as caught:
        http_client.send("GET", service.url, service="Zoho CRM", headers=headers)

    assert caught.value.certain
    assert service.asked == []


@pytest.mark.parametrize("path", ["//evil.example/", "/@evil.example/", "/a:b@c", "/%2F%2Fevil"])
def test_a_path_cannot_change_the_host(service, path: str) -> None:
    http_client.send("GET", f"{service.url}{path}", service="Zoho CRM")

    assert service.only.all("Host") == [f"127.0.0.1:{service.port}"]


@pytest.mark.parametrize("path", ["/api/../admin", "/..//evil.example", "/api/./x"])
def test_it_refuses_a_path_that_would_be_rewritten(service, path: str) -> None:
    with pytest.raises(ServiceForbidden):
        http_client.send("GET", f"{service.url}{path}", service="Zoho CRM")

    assert service.asked == []


def test_it_does_not_log_queries_or_bodies(service, assert_not_logged) -> None:
    with assert_not_logged("hunter2", "hunter3", "hunter4"):
        http_client.send(
            "POST",
            f"{service.url}/?key=hunter2",
            service="Zoho CRM",
            params={"other": "hunter3"},
            form={"password": "hunter4"},
        )


def test_the_repr_of_a_response_hides_the_body() -> None:
    answer = http_client.ServiceResponse(
        service="S", status=200, headers={"set-cookie": "a=1"}, body=b"token"
    )

    assert "token" not in repr(answer)
    assert "cookie" not in repr(answer)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "Zoho CRM sent an empty answer."),
        (b"  \n", "Zoho CRM sent an empty answer."),
        (b"<!doctype html><h1>502", "Zoho CRM sent a web page where data was expected."),
        (b"OK", "Zoho CRM sent an answer that cannot be read."),
        (b"[" * 200_000, "Zoho CRM sent an answer that cannot be read."),
        (b"\xff\xfe{", "Zoho CRM sent an answer that cannot be read."),
        (b'{"a":', "Zoho CRM sent an answer that cannot be read."),
    ],
)
def test_the_error_says_what_came_instead_of_json(service, body: bytes, sentence: str) -> None:
    service.answers(body)
    answer = http_client.send("GET", service.url, service="Zoho CRM")

    with pytest.raises(ServiceUnintelligible) as caught:
        answer.json()
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("status", "part"),
    [(429, "is receiving too many requests"), (500, "status 500"), (503, "status 503")],
)
def test_it_reports_an_outage(service, status: int, part: str) -> None:
    service.answers(b"<h1>Sorry", status=status)
    answer = http_client.send("GET", service.url, service="Zoho CRM")

    with pytest.raises(ServiceRefused, match=part) as caught:
        answer.refuse_outage()
    assert caught.value.status == status


def test_its_session_has_only_the_guarded_adapter() -> None:
    with http_client.GuardedSession(service="Zoho CRM") as session:
        for url in ("file:///etc/passwd", "ftp://example.com/", "http://example.com/"):
            with pytest.raises(ServiceForbidden):
                session.get(url)
        with pytest.raises(requests.exceptions.InvalidSchema):
            session.get_adapter("file:///etc/passwd")


def test_it_closes_the_connection_on_a_response_with_two_lengths(listen, settings) -> None:
    """urllib3 rejects the head, but leaves the socket open until it is garbage-collected."""
    hung_up = threading.Event()

    def speak(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nhello")
        with suppress(ConnectionError):
            while sock.recv(65536):
                pass
        hung_up.set()

    listener = listen(speak, together=True)
    settings.ALLOWED_PRIVATE_HOSTS = [f"localhost:{listener.port}"]
    with pytest.raises(ServiceUnreachable) as caught:
        http_client.send("GET", f"http://localhost:{listener.port}/", service="Acme")
    assert hung_up.wait(5), caught  # which holds what is not closed
