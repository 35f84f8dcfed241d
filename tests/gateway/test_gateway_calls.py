"""Plain calls that nginx makes itself, and what it leaves to the Python path."""

from __future__ import annotations

import json
import time

import pytest

from tests.gateway.nginx_server import is_by_nginx
from tests.gateway.scripted_service import OK

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.mark.parametrize("method", METHODS)
def test_each_method_reaches_the_service_as_on_the_python_path(paths, method):
    body = b'{"name": "Ada"}' if method in {"POST", "PUT", "PATCH"} else None
    answers = [
        paths.call("/x?q=a%20b", method=method, data=body, of=of) for of in ("nginx", "python")
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [is_by_nginx(answer) for answer in answers] == [method != "HEAD", False]
    assert answers[0].content == answers[1].content == (b"" if method == "HEAD" else b"ok")
    first, second = paths.item.received
    assert first.line == second.line == f"{method} /api/x?q=a%20b HTTP/1.1"
    assert first.body == second.body == (body or b"")
    assert first.all("X-Api-Key") == second.all("X-Api-Key") == ["canary-key-of-item"]


@pytest.mark.parametrize(
    "path",
    ["", "/", "/a/b", "/a%20b", "/a;p=1", "/~x!$&'()*+,=:@", "/%E4%BD%A0", "/x?", "/x?a=1&b=%2F"],
)
def test_paths_reach_the_service_as_they_were_sent(paths, path):
    for of in ("nginx", "python"):
        head = f"GET /api/v1/connections/item/proxy{path} HTTP/1.1\r\nHost: localhost\r\n"
        head += f"Authorization: Bearer {paths.keys.key}\r\nConnection: close\r\n\r\n"
        assert paths.raw(head.encode(), of=of).startswith(b"HTTP/1.1 200")
    first, second = paths.item.received
    assert first.line == second.line


@pytest.mark.parametrize(
    "path",
    [
        "/../x", "/a/./b", "/a/%2e%2e/b", "//x", "/a\\b", "/a%5Cb", "/a%2Fb", "/%00", "/a..;/b",
        "/..;x", "/a%252e", "/%c0%ae", "/a?b=%zz", "/a?b=\"<", "/\xff",
    ],
)  # fmt: skip
def test_unusual_paths_are_left_to_the_python_path(paths, path):
    answers = []
    for of in ("nginx", "python"):
        head = f"GET /api/v1/connections/item/proxy{path} HTTP/1.1\r\nHost: localhost\r\n"
        head += f"Authorization: Bearer {paths.keys.key}\r\nConnection: close\r\n\r\n"
        answers.append(paths.raw(head.encode("latin-1"), of=of))
    statuses = [answer.split(b" ")[1] for answer in answers]
    assert statuses[0] == statuses[1]
    lines = [each.line for each in paths.item.received]
    assert len(set(lines)) == (1 if lines else 0)


def test_nginx_itself_refuses_an_invalid_escape_in_a_path(paths):
    """The Python path writes the percent as ``%25``; any nginx in front of it refuses it."""
    head = "GET /api/v1/connections/item/proxy/a%zz HTTP/1.1\r\nHost: localhost\r\n"
    head += f"Authorization: Bearer {paths.keys.key}\r\nConnection: close\r\n\r\n"
    assert paths.raw(head.encode()).startswith(b"HTTP/1.1 400")
    assert paths.item.received == []


def test_a_large_body_goes_the_python_path(paths):
    for size in (65_536, 65_537, 3_000_000):
        answer = paths.call("/up", method="POST", data=b"x" * size)
        assert answer.status_code == 200
        assert is_by_nginx(answer) is (size == 65_536)
        assert len(paths.item.received[-1].body) == size


def test_a_body_in_chunks_goes_the_python_path(paths):
    answer = paths.call("/up", method="POST", data=iter([b"a", b"b"]))
    assert answer.status_code in {200, 411}
    assert [each.body for each in paths.item.received] == [b"ab"] * (answer.status_code == 200)


def test_other_urls_go_to_the_console(paths):
    import requests

    assert requests.get(f"{paths.nginx.url}/healthz", timeout=10).json() == {"status": "ok"}
    answer = requests.get(f"{paths.nginx.url}/api/v1/connections/", timeout=10)
    assert answer.status_code == 401


def test_internal_urls_are_not_reachable_through_nginx(paths):
    import requests

    for path in ("route", "calls"):
        url = f"{paths.nginx.url}/internal/{path}"
        assert requests.post(url, data=b"x", timeout=10).status_code == 404


def test_the_service_errors_are_passed_on(paths):
    for status in (302, 400, 403, 404, 429, 500, 502, 503, 504):
        paths.item.answers["/api/x"] = (
            f"HTTP/1.1 {status} Said\r\nContent-Length: 4\r\nX-Said: yes\r\n\r\nsaid".encode()
        )
        answer = paths.call()
        assert (answer.status_code, answer.content) == (status, b"said")
        assert answer.headers["X-Said"] == "yes"


def test_problems_of_the_service_have_the_types_of_the_python_path(paths):
    def hangs(sock, request):
        time.sleep(4)
        sock.close()

    def ends(sock, request):
        sock.shutdown(2)
        sock.close()

    paths.item.answers |= {
        "/api/hangs": hangs,
        "/api/ends": ends,
        "/api/noise": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nnoise",
        "/api/large": b"HTTP/1.1 200 OK\r\nContent-Length: 6000000\r\n\r\n",
    }
    expected = {
        "/ends": (502, "service-unreachable"),
        "/noise": (502, "answer-unintelligible"),
        "/large": (502, "answer-too-large"),
        "/hangs": (504, "service-timeout"),
    }
    for path, (status, slug) in expected.items():
        for of in ("nginx", "python"):
            # A POST is not sent again where an idle connection was closed.
            answer = paths.call(path, of=of, method="POST", data=b"x")
            assert answer.status_code == status, (path, of, answer.text)
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["type"].endswith(f"/{slug}"), (path, of)
            assert answer.headers["Console-Problem"] == slug
            assert answer.headers["Console-Request-Id"] == answer.headers["X-Request-Id"]
    # No call was repeated because it failed or was slow.
    targets = [each.target for each in paths.item.received]
    assert {target: targets.count(target) for target in targets} == dict.fromkeys(
        ("/api/ends", "/api/noise", "/api/large", "/api/hangs"), 2
    )


@pytest.mark.parametrize(
    "answer",
    [
        b"\x00\x01 this is not HTTP\r\n\r\n" + b"x" * 100,
        b"HTTP/1.0\r\n\r\n<script>",
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n"
        b"Content-Length: 2\r\n\r\nok",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_nginx_breaks_off_where_it_would_pass_on_what_is_not_an_answer(paths, answer):
    """nginx 1.22 does not know informational responses, and takes noise for HTTP/0.9."""
    paths.item.answers["/api/x"] = answer + b"\r\nConnection: close"
    head = "GET /api/v1/connections/item/proxy/x HTTP/1.1\r\nHost: localhost\r\n"
    head += f"Authorization: Bearer {paths.keys.key}\r\nConnection: close\r\n\r\n"
    assert paths.raw(head.encode()) == b""
    assert len(paths.item.received) == 1


def test_calls_are_logged_like_those_of_the_python_path(paths):
    paths.item.answers["/api/logged-gone"] = b"HTTP/1.1 404 Gone\r\nContent-Length: 4\r\n\r\ngone"
    for of in ("nginx", "python"):
        paths.call("/logged?secret=query", method="POST", data=b"12345", of=of)
        paths.call("/logged-gone", of=of)
    rows = sorted(row for row in paths.log() if row[1].startswith("/api/logged"))
    assert len(rows) == 4
    assert rows[0] == rows[1]
    assert rows[2] == rows[3]
    assert rows[0][:6] == ("GET", "/api/logged-gone", 404, "", 0, 4)
    assert rows[2][:6] == ("POST", "/api/logged", 200, "", 5, 2)
    assert "secret" not in json.dumps(rows)


def test_a_loop_is_left_to_the_python_path(paths):
    paths.call()
    token = paths.item.received[0].all("CDN-Loop")[0]
    answer = paths.call(headers={"CDN-Loop": f"x, {token}"})
    assert answer.status_code == 508


def test_a_key_in_the_url_is_refused(paths):
    answer = paths.call(f"/x?key={paths.keys.key}")
    assert answer.json()["type"].endswith("/key-in-address")
    assert paths.item.received == []


def test_a_query_credential_comes_last_and_cannot_be_replaced(paths):
    query = paths.services["query"]
    for path in ("/x", "/x?a=1", "/x?api_key=other", "/x?API%5FKEY=o", "/x?a=b+c"):
        assert paths.call(path, "query").status_code == 200
        assert paths.call(path, "query", of="python").status_code == 200
    lines = [each.line for each in query.received]
    assert lines[::2] == lines[1::2]
    assert all(line.endswith("api_key=canary-key-of-query HTTP/1.1") for line in lines)


def test_a_service_that_closes_idle_connections_is_called_again(paths):
    def closes(sock, request):
        sock.sendall(OK)
        sock.close()

    paths.item.answers["/api/closes"] = closes
    assert [paths.call("/closes").status_code for _ in range(20)] == [200] * 20
