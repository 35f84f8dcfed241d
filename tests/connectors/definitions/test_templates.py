from __future__ import annotations

import pytest

from connectors.definitions.templates import fill, fill_url, origin, slots
from connectors.errors import ServiceForbidden


def test_it_fills_slots() -> None:
    assert fill("Zoho-oauthtoken {access_token}", {"access_token": "a{b}c"}) == (
        "Zoho-oauthtoken a{b}c"
    )
    assert fill("no slots {} {0} {a.b} {a!r} {a[0]}", {}) == "no slots {} {0} {a.b} {a!r} {a[0]}"
    assert slots("{a}/{b}/{a}/{b.c}") == {"a", "b"}


@pytest.mark.parametrize("values", [{}, {"region": ""}])
def test_the_error_names_a_missing_value(values) -> None:
    with pytest.raises(ServiceForbidden, match="The request needs a value for “region”"):
        fill("https://{region}.example.com", values)


@pytest.mark.parametrize(
    ("template", "value", "expected"),
    [
        ("https://{x}.example.com/a", "eu-1", "https://eu-1.example.com/a"),
        ("https://{x}/a", "hub.example.com:8443", "https://hub.example.com:8443/a"),
        ("{x}/v1", "https://na1.example.com", "https://na1.example.com/v1"),
        ("{x}/v1", "https://na1.example.com/", "https://na1.example.com/v1"),
        ("{x}/v1", "http://localhost:9000/base", "http://localhost:9000/base/v1"),
        ("https://a.example/{x}/b", "a b/c?d#e", "https://a.example/a%20b%2Fc%3Fd%23e/b"),
        ("https://a.example/{x}", "Zoë", "https://a.example/Zo%C3%AB"),
        ("https://a.example/v{x}", "..", None),
        (
            "https://a.example/?q={x}&z=1",
            "1&admin=true",
            "https://a.example/?q=1%26admin%3Dtrue&z=1",
        ),
        ("https://a.example?q={x}", "@evil.example", "https://a.example?q=%40evil.example"),
    ],
)
def test_no_value_changes_other_parts_of_the_url(template, value, expected) -> None:
    if expected is None:
        with pytest.raises(ServiceForbidden):
            fill_url(template, {"x": value})
    else:
        assert fill_url(template, {"x": value}) == expected


@pytest.mark.parametrize(
    "value",
    [
        "evil.example/",
        "evil.example#",
        "evil.example?",
        "evil.example\\",
        "user@evil.example",
        "a:b@evil.example",
        "evil.example%2f",
        "evil.example\n",
        "evil example",
        "évil.example",
        "-evil.example",
        "evil.example:99999999",
        "evil.example:",
        "https://evil.example",
        "[::1]",
    ],
)
@pytest.mark.parametrize("template", ["https://{x}/", "https://{x}.example.com/", "https://a.{x}"])
def test_it_refuses_values_that_could_change_the_host(template: str, value: str) -> None:
    with pytest.raises(ServiceForbidden, match="“x” does not fit"):
        fill_url(template, {"x": value})


@pytest.mark.parametrize(
    "value",
    [
        "evil.example",
        "//evil.example",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "https://a.example?",
        "https://a.example#",
        "https://a@evil.example",
        "https://a.example/..%2f",
        "https://a.example/\n",
        "https://a.example//b",
        "https://a.example\\@evil.example",
    ],
)
def test_it_refuses_an_invalid_base_url(value: str) -> None:
    with pytest.raises(ServiceForbidden):
        fill_url("{x}/v1", {"x": value})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://API.example.com/a", "https://api.example.com"),
        ("https://api.example.com:443", "https://api.example.com"),
        ("https://api.example.com.:8443/?a", "https://api.example.com:8443"),
        ("http://[::1]:80/", "http://[::1]"),
        ("HTTP://localhost:9000", "http://localhost:9000"),
    ],
)
def test_origins_are_normalized(url: str, expected: str) -> None:
    assert origin(url) == expected
