from __future__ import annotations

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.http.payloads import (
    TEN_YEARS,
    is_error,
    parse_json,
    parse_lifetime,
    parse_token_body,
    printable_line,
    split_scopes,
    value_at,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3600, 3600),
        (1, 1),
        (3600.0, 3600),
        (3599.9, 3599),
        ("3600", 3600),
        (" 3600 ", 3600),
        ("3600.0", 3600),
        ("0003600", 3600),
        (TEN_YEARS, TEN_YEARS),
        (TEN_YEARS + 1, TEN_YEARS),
        (10**18, TEN_YEARS),
        (10**400, TEN_YEARS),
        (1e18, TEN_YEARS),
        ("99999999999999999999", TEN_YEARS),
        (0, None),
        (0.5, None),
        ("0", None),
        (-1, None),
        (-(10**400), None),
        (-0.5, None),
        ("-1", None),
        ("+1", None),
        ("1e5", None),
        ("1_000", None),
        ("٣٦٠٠", None),
        ("3,600", None),
        ("9" * 5000, None),
        ("", None),
        (" ", None),
        ("never", None),
        ("NaN", None),
        ("Infinity", None),
        (math.nan, None),
        (math.inf, None),
        (-math.inf, None),
        (None, None),
        (True, None),
        (False, None),
        ([3600], None),
        ({"seconds": 3600}, None),
        (b"3600", None),
    ],
)
def test_it_parses_a_lifetime(value: object, expected: int | None) -> None:
    assert parse_lifetime(value) == expected


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary())
def test_a_lifetime_is_at_most_ten_years(value: object) -> None:
    found = parse_lifetime(value)

    assert found is None or 0 < found <= TEN_YEARS


def test_it_parses_json_as_services_send_it() -> None:
    body = b'\xef\xbb\xbf{"a": NaN, "b": -Infinity, "c": 1e999, "d": 1.5, "e": "x\\u0000\\ud800y"}'

    assert parse_json(body) == {"a": None, "b": None, "c": None, "d": 1.5, "e": "x\ufffd\ufffdy"}
    assert parse_json(b'{"n": ' + b"9" * 5000 + b"}") == {"n": None}
    assert parse_json(b'{"\\u0000": [{"\\udfff": 1}]}') == {"\ufffd": [{"\ufffd": 1}]}
    assert parse_json(b'{"emoji": "\\ud83d\\ude00"}') == {"emoji": "😀"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{",
        b"\xff\xfe\x00",
        b"\x1f\x8b\x08\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 900 + b"]" * 899,
        b"{'a': 1}",
        b'{"a": 1} trailing',
    ],
)
def test_invalid_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(body)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_only_value_errors(body: bytes) -> None:
    for read in (parse_json, parse_token_body):
        with suppress(ValueError):
            read(body)


@given(st.recursive(st.none() | st.text() | st.floats(), lambda x: st.lists(x), max_leaves=5))
def test_parsed_json_can_be_serialized_again(document: object) -> None:
    read = parse_json(json.dumps(document).encode())

    json.dumps(read, ensure_ascii=False, allow_nan=False).encode()


def test_it_tells_forms_from_json_by_content() -> None:
    form = b"access_token=gho_16C7e42F&scope=repo%2Cgist&token_type=bearer\n"

    assert parse_token_body(form) == {
        "access_token": "gho_16C7e42F",
        "scope": "repo,gist",
        "token_type": "bearer",
    }
    assert parse_token_body(b' {"access_token": "a=b"} ') == {"access_token": "a=b"}
    assert parse_token_body(b"a=%00b") == {"a": "\ufffdb"}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'"a=b"', b"OK", b"<a href=x>", b"a=1&" * 1000, b"a b=c", b"\0a=b"],
)
def test_an_invalid_token_response_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        parse_token_body(body)


def test_it_returns_the_value_at_a_dotted_path() -> None:
    document = {"users": [{"email": "a@b.c"}], "team": {"id": 0}}

    assert value_at(document, "users.0.email") == "a@b.c"
    assert value_at(document, "team.id") == 0
    assert value_at(document, "") == document
    for nowhere in ("users.1", "users.x", "users.-1", "users.²", "users." + "9" * 5000, "a.b", "."):
        assert value_at(document, nowhere) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("two\r\nlines\tand\0more", "two lines and more"),
        ("\u202egnp.exe\u200f", "gnp.exe"),
        ("zero\u200bwidth", "zerowidth"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("lone \ud800 half", "lone half"),
        ("\x1b[31mred", "[31mred"),
        ("", ""),
        (None, ""),
        (7, ""),
        ("x" * 300, "x" * 199 + "…"),
        ("y" * 1_000_000, "y" * 199 + "…"),
    ],
)
def test_it_makes_text_printable(text: object, expected: str) -> None:
    assert printable_line(text) == expected


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_the_text_is_always_printable_and_short(text: str, limit: int) -> None:
    shown = printable_line(text, limit)

    assert shown.isprintable()
    assert len(shown) <= limit


@pytest.mark.parametrize(
    ("value", "separator", "expected"),
    [
        ("read write", " ", ("read", "write")),
        ("read,write", " ", ("read", "write")),
        ("read, write  read", ",", ("read", "write")),
        ("read|write", "|", ("read", "write")),
        (["read", "write", "read", 7, ""], " ", ("read", "write")),
        ("", " ", ()),
        (None, " ", ()),
        ({"read": True}, " ", ()),
    ],
)
def test_it_splits_scopes(value: object, separator: str, expected: tuple[str, ...]) -> None:
    assert split_scopes(value, separator) == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"ok": False}, True),
        ({"ok": "False"}, True),
        ({"ok": True}, False),
        ({"ok": None}, False),
        ({}, False),
        ([], False),
    ],
)
def test_it_detects_an_error_with_status_200(document: object, expected: bool) -> None:
    assert is_error(document, {"ok": "false"}) is expected
