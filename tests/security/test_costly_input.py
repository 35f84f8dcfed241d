"""The cost of input from people and services is proportional to its size.

Each parser gets input of two sizes. Python's work is counted in calls, which are the same on every
machine and may double. Then it gets the largest accepted input: work within one call, such as a
regular expression, shows only in CPU time. That limit is far above the present time (at most a
second) and far below the time before it was fixed.
"""

from __future__ import annotations

import contextlib
import json
import re
import struct
import sys
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from django import forms
from django.urls import get_resolver

from connectors.definitions.registry import get_connectors
from connectors.definitions.search import search
from connectors.http.payloads import parse_json, parse_token_body, printable_line
from connectors.oauth2.token_response import _masked
from console.applications.launch_url import validate_launch_url
from console.components.definitions import CallTemplate, parse, unknown
from console.components.document_limits import DEFINITION, FILE
from console.components.forms import InputForm
from console.components.json_source import MAX_FAULTS, JsonFaults, refuse
from console.components.placeholders import MAX_FILLED, NoValue, fill
from console.distribution.pictures import MAX_BYTES as PICTURE_BYTES
from console.distribution.pictures import sanitize
from console.names import normalized
from console.publishing.line_diff import line_diff
from console.transfer.importing import MAX_BYTES, read

GROWTH = 2.5
SECONDS = 15
#: Calls that do not depend on the size.
FLOOR = 2_000


def definition(text: Callable[[int], str]) -> Callable[[int], Any]:
    return lambda size: lambda: parse("function", text(size))


def file(text: Callable[[int], str | bytes]) -> Callable[[int], Any]:
    return lambda size: lambda: read(text(size))


def members(size: int, *, value: str = "1") -> str:
    return ",".join(f'"k{number}":{value}' for number in range(size // (len(value) + 8)))


def call(**fields: Any) -> str:
    return json.dumps({"calls": [{"connection": "c", "path": "/", **fields}]})


def application(**lists: list[Any]) -> str:
    head = {"format": "developer-console/application", "schema": 1}
    named = {"application": {"name": "A", "link_name": "a"}, "connections": [], "components": []}
    return json.dumps({**head, **named, **lists})


def part(number: int, kind: str, value: Any) -> dict[str, Any]:
    return {"kind": kind, "name": "n", "link_name": f"n_{number}", "definition": value}


def calling(number: int) -> dict[str, Any]:
    return part(number, "page", {"c": [{"connection": f"x{number}", "path": "/"}] * 4})


def png(size: int) -> bytes:
    def chunk(name: bytes, data: bytes = b"") -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">II5B", 99, 99, 8, 0, 0, 0, 0))
    return head + chunk(b"IDAT") * (size // 12 - 10) + chunk(b"IEND")


def webp(size: int) -> bytes:
    body = b"WEBP" + b"JUNK\0\0\0\0" * (size // 8 - 9)
    return b"RIFF" + struct.pack("<I", len(body)) + body


#: For each parser: its work on the worst input of a size, and the largest accepted size.
ENTRANCES: dict[str, tuple[Callable[[int], Callable[[], Any]], int]] = {
    "definition: a name that stands twice, at the end": (
        definition(lambda n: "{" + members(n) + ',"z":1,"z":1}'),
        180_000,
    ),
    "definition: every placeholder is wrong": (
        definition(lambda n: call(query={f"k{i}": "{{ x }}" for i in range(n // 25)})),
        180_000,
    ),
    "definition: a placeholder that is never closed": (
        definition(lambda n: call(body="{{" + " " * n)),
        180_000,
    ),
    "definition: placeholders that begin and begin": (
        definition(lambda n: call(body="{{ a.a" * (n // 6))),
        180_000,
    ),
    "definition: a long path in a placeholder": (
        definition(lambda n: call(body="{{ input" + ".a" * (n // 2))),
        180_000,
    ),
    "definition: every call breaks the schema": (
        definition(lambda n: json.dumps({"x": [{"connection": 1}] * (n // 20)})),
        180_000,
    ),
    "definition: every header is reserved": (
        definition(lambda n: call(headers={f"x{i} ": "" for i in range(n // 16)})),
        180_000,
    ),
    "definition: quotes that are never closed": (
        definition(lambda n: '{"a": "' + '\\"' * (n // 2) + "\\"),
        180_000,
    ),
    "definition: lines": (definition(lambda n: "\n" * n + "{"), DEFINITION.lines - 2),
    "definition: values": (
        definition(lambda n: '{"a": [' + "0," * n + "0]}"),
        DEFINITION.values - 4,
    ),
    "definition: too long": (definition(lambda n: "[" * n), 2_500_000),
    "names that are not there, among many": (
        lambda n: lambda: refuse(
            "{}",
            unknown(
                [CallTemplate(connection=f"nam{i}", method="GET", path="/") for i in range(n)],
                frozenset(f"name_{i}" for i in range(n)),
                what="connection",
            ),
        ),
        5_000,
    ),
    "file: every component breaks the schema": (
        file(lambda n: application(components=[{"x": i} for i in range(n)])),
        5_000,
    ),
    "file: more components than may be": (
        file(lambda n: application(components=[{"x": i} for i in range(n)])),
        200_000,
    ),
    "file: every call goes nowhere": (
        file(lambda n: application(components=[calling(i) for i in range(n)])),
        5_000,
    ),
    "file: one long definition": (
        file(lambda n: application(components=[part(1, "page", [{"connection": 1}] * n)])),
        100_000,
    ),
    "file: brackets": (file(lambda n: "[" * n), MAX_BYTES),
    "file: empty lists": (file(lambda n: "[" + "[]," * n + "[]]"), FILE.values // 2 - 9),
    "file: deep values": (
        file(lambda n: "[" * 60 + "1," * n + "1" + "]" * 60),
        FILE.values - 99,
    ),
    "file: escapes": (file(lambda n: '"' + '\\"' * (n // 2 - 2) + "\\"), MAX_BYTES),
    "file: one long text": (file(lambda n: '["' + "a" * n + '"]'), MAX_BYTES - 9),
    "file: lines": (file(lambda n: "\n" * n), MAX_BYTES),
    "file: another encoding": (file(lambda n: b"\n" * n + b"\xff"), MAX_BYTES - 1),
    "difference: all lines alike": (
        lambda n: lambda: line_diff(["x"] * n, ["x", "y"] * (n // 2)),
        50_000,
    ),
    "difference: few different lines": (
        lambda n: lambda: line_diff(["a", "b"] * n, ["b", "a", "a"] * n),
        50_000,
    ),
    "difference: moved": (
        lambda n: lambda: line_diff(
            [str(i) for i in range(n)], [str((i + n // 2) % n) for i in range(n)]
        ),
        50_000,
    ),
    "filling: a placeholder over and over": (
        lambda n: lambda: fill(["{{ input.x }}"] * n, {"input": {"x": "x" * 20_000}}),
        12_000,
    ),
    "filling: a text that is nearly one": (
        lambda n: lambda: fill("{{ input.x }" * (n // 12), {"input": {"x": "x"}}),
        180_000,
    ),
    "answer: members": (
        lambda n: lambda: parse_json(("{" + members(n) + ',"z":1,"z":1}').encode()),
        1_000_000,
    ),
    "answer: what cannot be stored": (
        lambda n: lambda: parse_json(('["' + "\\ud800" * (n // 6) + '"]').encode()),
        1_000_000,
    ),
    "answer: digits": (lambda n: lambda: parse_json(b"1" * n), 1_000_000),
    "answer: brackets": (lambda n: lambda: parse_json(b"[" * n), 1_000_000),
    "answer: a token in a form": (lambda n: lambda: parse_token_body(b"a=" + b"&" * n), 1_000_000),
    "answer: an error of letters": (lambda n: lambda: _masked("a" * n, ("secret",)), 1_000_000),
    "answer: words": (lambda n: lambda: printable_line("\u202e" * n), 1_000_000),
    "picture: PNG": (lambda n: lambda: sanitize(png(n)), PICTURE_BYTES),
    "picture: JPEG of fill bytes": (
        lambda n: lambda: sanitize(b"\xff\xd8" + b"\xff" * (n - 2)),
        PICTURE_BYTES,
    ),
    "picture: JPEG of stuffed zeros": (
        lambda n: lambda: sanitize(
            b"\xff\xd8\xff\xda\0\2" + b"\xff\0" * (n // 2 - 4) + b"\xff"
        ),
        PICTURE_BYTES,
    ),
    "picture: WebP": (lambda n: lambda: sanitize(webp(n)), PICTURE_BYTES),
    "search: one word": (lambda n: lambda: search("slakc" * (n // 5)), 8_000),
    "search: many words": (lambda n: lambda: search("slakc " * (n // 6)), 8_000),
    "a launch URL": (
        lambda n: lambda: validate_launch_url("https://" + "a." * (n // 2) + "_"),
        500,
    ),
    "a name": (lambda n: lambda: normalized("a" + "\u0301\u0323" * (n // 2)), 1_000_000),
    "a number for a run": (
        lambda n: lambda: InputForm(
            {"input.x": "[" * n}, inputs={"x": {"type": "number"}}
        ).is_valid(),
        20_000,
    ),
}  # fmt: skip


def cost(work: Callable[[], Any]) -> int:
    """Count the calls that the work makes, including calls of built-in functions."""
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        tried(work)
    finally:
        sys.setprofile(None)
    return calls


def tried(work: Callable[[], Any]) -> None:
    with contextlib.suppress(ValueError, LookupError, forms.ValidationError):  # each is a refusal
        work()


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_twice_the_size_costs_at_most_twice_as_much(entrance):
    make, size = ENTRANCES[entrance]
    tried(make(size // 40))  # fill the caches
    half, whole = cost(make(size // 40)), cost(make(size // 20))
    assert whole <= max(half * GROWTH, FLOOR)


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_the_largest_input_is_parsed_quickly(entrance):
    make, size = ENTRANCES[entrance]
    began = time.thread_time()
    tried(make(size))
    assert time.thread_time() - began < SECONDS


def test_no_pattern_of_the_catalogue_takes_long():
    """Every pattern of a definition, with the longest input that its field accepts."""
    patterns = set()
    for connector in get_connectors().values():
        patterns |= {each.pattern for each in connector.parameters}
        if connector.oauth2:
            patterns |= {connector.oauth2.typed_scopes}
            patterns |= {field.pattern for field in connector.oauth2.kept}
    began = time.thread_time()
    for pattern in filter(None, patterns):
        for text in ("a", "a.", "a-", "0", "a/", "https://a."):
            re.fullmatch(pattern, (text * 1_000)[:1_000] + "\0")
    assert time.thread_time() - began < SECONDS


def test_the_first_errors_are_shown_and_the_others_counted():
    text = call(query={f"k{number}": "{{ x }}" for number in range(500)})
    with pytest.raises(JsonFaults) as refused:
        parse("function", text)
    assert (len(refused.value.faults), refused.value.more) == (MAX_FAULTS, 500 - MAX_FAULTS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" + "1," * FILE.values + "1]", "At most 500,000"),
        ("\n" * FILE.lines + "1", "500,001 lines"),
        ('["' + "a" * (FILE.text + 1) + '"]', "200,000 characters"),
        ("[" * 99 + "]" * 99, "nested at most 64 deep"),
        ("a" * (MAX_BYTES + 1), "10 MB"),
    ],
)
def test_the_message_names_the_limit(text, said):
    with pytest.raises(JsonFaults, match=said):
        read(text)


def test_commas_and_brackets_within_strings_are_not_counted():
    with pytest.raises(JsonFaults) as refused:
        read(json.dumps({"a": ",[{" * (FILE.text // 4)} | {str(n): ",,,," for n in range(90_000)}))
    assert "values" not in str(refused.value)


def test_placeholders_share_a_size_limit():
    often = MAX_FILLED // 20_000
    values = {"input": {"x": "x" * 20_000}}
    assert len(fill(["{{ input.x }}"] * often, values)) == often
    with pytest.raises(NoValue, match="10,000,000 characters"):
        fill(["{{ input.x }}"] * (often + 1), values)


def test_every_form_field_has_a_maximum_length():
    """Except for a component's definition, which is measured before it is parsed, and the password
    that an operator enters in Administration, which is Django's own field.
    """
    get_resolver().url_patterns  # noqa: B018 - imports all views, and so all forms

    def below(cls: type) -> set[type]:
        return {each for child in cls.__subclasses__() for each in {child} | below(child)}

    ours = {
        form
        for form in below(forms.BaseForm)
        if form.__module__.partition(".")[0] in ("console", "connections")
    }
    boundless = {
        f"{form.__name__}.{name}"
        for form in ours
        for name, field in getattr(form, "base_fields", {}).items()  # a mixin has no fields
        if type(field) is forms.CharField and field.max_length is None
    }
    assert boundless - {"NewUserForm.password1", "NewUserForm.password2"} == {
        "DefinitionForm.definition"
    }
    assert len(ours) > 20
