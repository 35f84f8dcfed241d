"""Generated hostile requests: paths, queries, forms and headers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import quote, quote_from_bytes, urlencode

from hypothesis import strategies as st

#: Bytes, because not all of them can be encoded from text.
HOSTILE: list[bytes] = [
    b"",
    b"\0",
    b"a\0b",
    b"\xff\xfe",
    b"\xed\xa0\x80",  # a lone surrogate
    b"\xc0\xaf",
    b"%",
    b"%00",
    b"%zz",
    b"../../etc/passwd",
    b"..%2f..%2f",
    b"\r\nSet-Cookie: a=b",
    b"<script>alert(1)</script>",
    b"' OR 1=1 --",
    b"{{ 7|add:7 }}",
    b"{{ input.x }}",
    b"${7*7}",
    b"-1",
    b"0",
    b"1e999",
    b"NaN",
    b"9" * 19,
    b"9" * 5000,
    b"-9223372036854775809",
    b"0x10",
    "١٢٣".encode(),  # digits that int() accepts
    "²".encode(),  # isdigit() says yes, int() no
    "\u202e\u2066\ufeff".encode(),
    "Cafe\u0301 \U0001f600".encode(),
    b"null",
    b"[]",
    b"{}",
    b'{"calls": [{"connection": {}, "path": 1}]}',
    b'{"calls": "x"}',
    b"[" * 3000,
    b'{"a":' * 1500,
    b'"\\ud800"',
    b'{"a": 1e400, "a": NaN}',
    b"x" * 9000,
    b"00000000-0000-0000-0000-000000000000",
    b"{00000000-0000-0000-0000-000000000000}",
    b"0001-01-01",
    b"9999-12-31T23:59:59",
    b"2026-02-30",
    b"-infinity",
    b"//evil.example/",
    b"http://[::1",
    b"https://[v1.x]/",
    b"https://evil.example:99999/",
    b"javascript:alert(1)",
    b"on",
    b"all",
    b"production",
    b"*",
    b"a@b",
    b"a@" + b"b" * 300 + b".example",
]
#: Parameters that pages could read.
NAMES = (
    *("q", "page", "after", "before", "cursor", "next", "environment", "flow", "code", "state"),
    *("error", "version", "definition", "tick", "choose", "back", "credential", "tab", "o", "p"),
)
HEADERS: dict[str, list[str]] = {
    "Accept": ["", "*/*;q=x", "application/json", "text/html;q=9" * 50],
    "Accept-Language": ["xx-" * 200, ";;;", "de, en;q=2"],
    "Authorization": ["Bearer", "Bearer \xff", "Basic !!!!", "Bearer " + "x" * 5000],
    "Console-User": ["a.b.c", "..", "\xe9"],
    "Cookie": ["sessionid=\xff; csrftoken=x", "sessionid=" + "x" * 4000, "=;=;", "messages=W10:x"],
    "HX-Current-URL": ["http://[::1", "javascript:1", "\xff"],
    "HX-Request": ["true"],
    "HX-Target": ["\xff", "table"],
    "If-Modified-Since": ["yesterday", "Thu, 01 Jan 0000 00:00:00 GMT"],
    "If-None-Match": ['W/"', "*"],
    "Origin": ["null", "http://[::1"],
    "Range": ["bytes=-", "bytes=9-1"],
    "Referer": ["http://[::1", "\xff", "https://evil.example/"],
    "X-Forwarded-For": ["999.1.1.1, ::g", "\xff", "unknown"],
    "X-Request-ID": ["\x1b[31m", "x" * 500],
}
CONTENT_TYPES = (
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-7",
    "application/x-www-form-urlencoded; charset=\xff",
    "application/json",
    "text/plain; charset=utf-16",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=x; charset=nonsense",
)
METHODS = ("get", "post", "head", "put", "patch", "delete", "options", "trace")
Fields = list[tuple[str, bytes]]


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request, as a difference from the one that the page expects."""

    method: str = ""
    part: bytes | None = None
    tail: bytes = b""
    query: Fields = field(default_factory=list)
    form: Fields = field(default_factory=list)
    dropped: frozenset[str] = frozenset()
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = CONTENT_TYPES[0]

    def path(self, path: str, position: int) -> str:
        """Return the path with one part replaced and a suffix."""
        path, _, query = path.partition("?")
        if self.part is not None:
            parts = path.strip("/").split("/")
            parts[position % len(parts)] = quote_from_bytes(self.part)
            path = f"/{'/'.join(parts)}/"
        query = "&".join(filter(None, [query, urlencode(self.query)]))
        return path + quote_from_bytes(self.tail) + (f"?{query}" if query else "")

    def body(self, expected: Fields) -> bytes:
        """Return the expected form with the differences."""
        others = {name for name, _ in self.form} | self.dropped
        kept = [(name, value) for name, value in expected if name not in others]
        return urlencode([*kept, *self.form]).encode()


def requests(names: dict[str, list[str]], route: str) -> st.SearchStrategy[Sent]:
    """Draw a request to a route; ``names`` are the form fields of each page."""
    known = st.sampled_from([*names.get(route, ()), *names.get(route, ()), *NAMES])
    value = st.sampled_from(HOSTILE) | st.binary(max_size=12)
    fields = st.lists(st.tuples(known, value), max_size=3)
    headers = st.dictionaries(st.sampled_from(sorted(HEADERS)), st.integers(0, 3), max_size=2)
    rarely = st.sampled_from([False] * 4 + [True])
    return st.builds(
        Sent,
        method=rarely.flatmap(lambda odd: st.sampled_from(METHODS if odd else ("",))),
        part=rarely.flatmap(lambda odd: value if odd else st.none()),
        tail=rarely.flatmap(lambda odd: value if odd else st.just(b"")),
        query=fields,
        form=fields,
        dropped=st.frozensets(known, max_size=1),
        headers=headers.map(
            lambda chosen: {
                name: HEADERS[name][at % len(HEADERS[name])] for name, at in chosen.items()
            }
        ),
        content_type=rarely.flatmap(
            lambda odd: st.sampled_from(CONTENT_TYPES if odd else CONTENT_TYPES[:1])
        ),
    )


def expected_form(page: str) -> Fields:
    """Return the data of a page's forms: inputs, selects and textareas."""
    found: Fields = []
    for tag, attributes, content in re.findall(
        r"<(input|textarea|select|button)\b([^>]*)>(?:([^<]*)</textarea>)?", page
    ):
        if not (name := re.search(r'\bname="([^"]+)"', attributes)):
            continue
        value = re.search(r'\bvalue="([^"]*)"', attributes)
        if tag == "select":
            value = re.search(
                rf'name="{re.escape(name[1])}".*?<option value="([^"]*)" selected', page, re.S
            )
        text = content if tag == "textarea" else value[1] if value else ""
        found.append((name[1], unescape(text).encode()))
    return found


def written(**fields: Any) -> Fields:
    """Encode the data of a visit."""
    return [(name, str(value).encode()) for name, value in fields.items()]


def hostile_words() -> st.SearchStrategy[str]:
    """Draw an encoded value of a query."""
    return st.sampled_from([quote(each) for each in HOSTILE])
