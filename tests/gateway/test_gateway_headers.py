"""Headers in both directions: those of the nginx path and of the Python path are the same."""

from __future__ import annotations

import pytest

#: Set by the servers themselves, each in its way.
OF_SERVERS = {"server", "date", "connection", "keep-alive", "transfer-encoding"}
IDS = {"console-request-id", "x-request-id"}
REQUESTS = {
    "plain": ["Accept: text/plain", "X-Custom: 1", "Content-Language: en"],
    "replaced": [
        "X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4", "Via: 1.1 me", "X-Real-IP: 1.2.3.4",
        "Console-Anything: x", "X-Request-Start: 1", "TE: trailers", "Keep-Alive: 5",
        "HTTP2-Settings: AA", "Proxy-Connection: close",
    ],
    "dropped": [
        "Cookie: a=b", "Cookie2: x", "Proxy-Authorization: Basic eA==", "Sec-Fetch-Site: none",
        "X-Original-URL: /", "X-Accel-Redirect: /x", "X-Sendfile: /etc/passwd", "Surrogate-Key: x",
        "My-CDN-Cache-Control: no", "X-Envoy-Retry-On: 5xx",
    ],
    "signature": ["X-API-KEY: mine", "x-request-id: of-the-program"],
    "encoding": ["Accept-Encoding: gzip, br"],
    "no encoding": [],
    "agent": ["User-Agent: mine/1"],
    "loop": ["CDN-Loop: other.example"],
    "bytes": ["X-Latin: caf\xe9"],
    "repeated": ["X-Custom: 1", "X-Custom: 2"],
    "empty": ["X-Empty:"],
    "options": ["Connection: X-Custom, close", "X-Custom: 1"],
    "underscore": ["X_Custom: 1"],
}  # fmt: skip
RESPONSES = {
    "plain": ["Content-Type: application/json", "ETag: \"x\"", "Last-Modified: yesterday"],
    "charset": ["Content-Type: text/html; charset=utf-8", "Content-Encoding: br"],
    "dropped": [
        "Set-Cookie: a=b", "Set-Cookie2: x", "Content-Security-Policy: default-src *",
        "Strict-Transport-Security: max-age=1", "Clear-Site-Data: \"*\"", "Alt-Svc: clear",
        "Refresh: 0; url=/", "X-Frame-Options: DENY", "Access-Control-Allow-Origin: *",
        "Console-Problem: forged", "Proxy-Authenticate: Basic", "Sec-Anything: x",
        "Referrer-Policy: no-referrer", "SourceMap: /x", "Service-Worker-Allowed: /",
    ],
    "for servers": [
        "X-Accel-Redirect: /internal/route", "X-Accel-Expires: 60", "X-Accel-Buffering: yes",
        "X-Accel-Limit-Rate: 1", "X-Accel-Charset: utf-8", "X-Sendfile: /etc/passwd",
        "Surrogate-Control: x", "Edge-Control: x", "My-CDN-Cache-Control: x", "X-Pad: x",
    ],
    "replaced": ["Server: mine", "Date: never", "Keep-Alive: timeout=5", "Trailer: X-T",
                 "X-Content-Type-Options: mine", "Upgrade: h2c"],
    "repeated": ["Link: </a>", "Link: </b>", "Warning: 1", "Warning: 2", "X-Many: 1", "X-Many: 2"],
    "vary": ["Vary: Accept", "Vary: Origin", "Cache-Control: max-age=60", "Expires: 0"],
    "request id": ["X-Request-Id: of-the-service"],
    "options": ["Connection: keep-alive, X-Hop", "X-Hop: 1", "X-Stays: 1"],
    "bytes": ["X-Latin: caf\xe9", "X-Utf: \xe4\xbd\xa0"],
    "secret": ["X-Echo: canary-key-of-item", "X-Hidden: Y2FuYXJ5LWtleS1vZi1pdGVt",
               "X-Part: canary-key-of-ite", "Vary: canary-key-of-item", "X-Two: a",
               "X-Two: canary-key-of-item"],
    "underscore": ["X_Secret: canary-key-of-item", "X_Plain: 1", "console_x: 1"],
    "auth": ["WWW-Authenticate: Basic realm=\"x\"", "Authorization: x", "Retry-After: 5"],
    "empty location": ["Location:"],
    "long": ["X-Long: " + "x" * 30_000],
    "many": [f"X-{number}: {number}" for number in range(90)],
}  # fmt: skip
REFERENCES = [
    "/api/items", "/api", "/api?x=1", "/api/", "/other", "items", "./items", "../items", "?q=1",
    "#part", "", "/api/../x", "/api/a/../b", "/api/%2e%2e/x", "/api/a%2Fb", "//evil.example/x",
    "http://{netloc}/api/items?a=b#c", "HTTP://{netloc}/api/items", "http://{netloc}/apix",
    "http://{netloc}/api/a b", "http://{netloc}/api/\\..\\x", "http://user@{netloc}/api/x",
    "https://{netloc}/api/x", "http://other.example/api/x", "http://127.0.0.1/api/x",
    "mailto:x@y.example", "javascript:alert(1)", "http:items", "http:///api/x", "/api//x",
    "/api/..",
    "/api/x;y", "..", ".", "a/./b/../c/", "/./api/x", "/api/caf\xe9", "/api/x?u=http://{netloc}/",
    "http://{netloc}", "http://{netloc}/", "http://{netloc}/api/canary%2Dkey%2Dof%2Ditem",
    "/api/x?k=canary-key-of-item", "http://[::1/api", "  /api/x ", "/api/a..b", "\\\\evil\\x",
    "/api/x%", "//{netloc}/api/y", "///x", "http://{netloc}:/api/x", "?", "/api/x?",
]  # fmt: skip


def sent_by(paths, lines, of):
    head = ["GET /api/v1/connections/item/proxy/h HTTP/1.1", "Host: localhost"]
    head += [f"Authorization: Bearer {paths.keys.key}", *lines]
    if not any(line.startswith("Connection") for line in lines):
        head.append("Connection: close")
    answer = paths.raw("\r\n".join([*head, "", ""]).encode("latin-1"), of=of)
    return parsed(answer)


def parsed(answer):
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
    line, *lines = head.split("\r\n")
    pairs = [each.partition(":") for each in lines]
    return line.split(" ")[1], [(name.lower(), value.strip()) for name, _, value in pairs]


def comparable(headers):
    """Sort headers by name, and the names in a list of dropped headers."""
    rows = []
    for name, value in headers:
        lower = name.lower()
        if lower in OF_SERVERS or lower in IDS:
            continue
        if lower.startswith("console-dropped"):
            value = ", ".join(sorted(set(value.lower().replace("_", "-").split(", "))))
        rows.append((lower, value))
    return sorted(rows)


@pytest.mark.parametrize("case", REQUESTS)
def test_request_headers_are_those_of_the_python_path(paths, case):
    answers = [sent_by(paths, REQUESTS[case], of) for of in ("nginx", "python")]
    assert answers[0][0] == answers[1][0] == "200"
    assert comparable(answers[0][1]) == comparable(answers[1][1])
    first, second = paths.item.received
    assert comparable(first.headers) == comparable(second.headers)


@pytest.mark.parametrize("case", RESPONSES)
def test_response_headers_are_those_of_the_python_path(paths, case):
    head = ["HTTP/1.1 200 OK", *RESPONSES[case], "Content-Length: 2", "", "ok"]
    paths.item.answers["/api/h"] = "\r\n".join(head).encode("latin-1")
    statuses, headers = zip(*(sent_by(paths, [], of) for of in ("nginx", "python")), strict=True)
    assert statuses == ("200", "200")
    assert comparable(headers[0]) == comparable(headers[1])
    for each in headers:
        ids = [value for name, value in each if name in IDS]
        assert len(ids) == 2


@pytest.mark.parametrize("reference", REFERENCES)
def test_urls_in_headers_are_rewritten_as_on_the_python_path(paths, reference):
    netloc = paths.item.url.removeprefix("http://")
    text = reference.replace("{netloc}", netloc)
    link = f'<{text}>; rel="next <{text}>"; title="a \\" <x>", <{text}>'
    lines = [f"Location: {text}", f"Content-Location: {text}", f"Link: {link}"]
    head = ["HTTP/1.1 201 Created", *lines, "Content-Length: 2", "", "ok"]
    paths.item.answers["/api/h"] = "\r\n".join(head).encode("latin-1")
    headers = [comparable(sent_by(paths, [], of)[1]) for of in ("nginx", "python")]
    assert headers[0] == headers[1]


def test_what_differs_in_the_headers_of_a_response(paths):
    """nginx leaves out an empty Link; llhttp refuses a control character, which nginx drops."""
    paths.item.answers |= {"/api/h": b"HTTP/1.1 200 OK\r\nLink:\r\nContent-Length: 2\r\n\r\nok"}
    first, second = (dict(sent_by(paths, [], of)[1]) for of in ("nginx", "python"))
    assert "link" not in first
    assert second["link"] == ""
    paths.item.answers |= {
        "/api/h": b"HTTP/1.1 200 OK\r\nX-Control: a\x01b\r\nContent-Length: 2\r\n\r\nok"
    }
    first, second = (sent_by(paths, [], of) for of in ("nginx", "python"))
    assert (first[0], second[0]) == ("200", "502")
    assert dict(first[1])["console-dropped-response"] == "X-Control"


def test_a_head_of_64_kibibytes_is_too_large_for_both(paths):
    lines = [f"X-{number}: {'x' * 1000}" for number in range(80)]
    head = ["HTTP/1.1 200 OK", *lines, "Content-Length: 2", "", "ok"]
    paths.item.answers["/api/h"] = "\r\n".join(head).encode()
    assert [sent_by(paths, [], of)[0] for of in ("nginx", "python")] == ["502", "502"]
