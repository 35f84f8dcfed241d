"""Cookies pass where the definition of a service says so, and never further than its address."""

from __future__ import annotations

import pytest

from connectors.definitions.registry import get_connectors

PATH = "/api/v1/connections/sessions/proxy"


@pytest.fixture
def define(upstream, settings, tmp_path, connect, grant):
    """Make a connection to a service with ``api_cookies`` as given."""

    def do(line: str) -> None:
        (tmp_path / "sessions.toml").write_text(f"""
name = "Sessions"
category = "Sandbox"
summary = "An API that keeps a session."
documentation = "{upstream.url}/"
sources = ["{upstream.url}/"]
read_on = "2026-11-24"
sandbox = true
api_base_url = "{upstream.url}/sap/opu"
{line}
check = {{ path = "/me" }}

[api_key]
fields = [{{ name = "key", label = "API key" }}]

[api_key.signing]
header = "X-Api-Key"
value = "{{key}}"
""")
        settings.EXTRA_CATALOGUES = [str(tmp_path)]
        get_connectors.cache_clear()
        grant(connect("sessions", link_name="sessions"), secret={"key": "the-key-of-alice"})

    return do


@pytest.mark.parametrize("line", ["", "api_cookies = false"])
def test_without_the_field_none_pass(upstream, program, define, line):
    define(line)
    upstream.answers(b"", Set_Cookie="SAP_SESSION=1; Path=/")
    answer = program.get("sessions", headers={"Cookie": "SAP_SESSION=1"})
    assert upstream.only.all("Cookie") == answer.all("Set-Cookie") == []
    assert answer.all("Console-Dropped-Request") == ["Cookie"]
    assert answer.all("Console-Dropped-Response") == ["Set-Cookie"]


def test_with_it_they_go_out(upstream, program, define):
    define("api_cookies = true")
    answer = program.get("sessions", headers={"Cookie": "SAP_SESSION=a=b; sap-usercontext=c"})
    assert upstream.only.all("Cookie") == ["SAP_SESSION=a=b; sap-usercontext=c"]
    assert answer.all("Console-Dropped-Request") == []


def test_those_of_the_console_never_do(upstream, program, define, settings):
    define("api_cookies = true")
    own = f"{settings.SESSION_COOKIE_NAME}=s1; {settings.CSRF_COOKIE_NAME}=s2"
    program.get("sessions", headers={"Cookie": f"a=1; {own};b=2"})
    answer = program.get("sessions", headers={"Cookie": own})
    assert [asked.all("Cookie") for asked in upstream.asked] == [["a=1; b=2"], []]
    assert answer.all("Console-Dropped-Request") == ["Cookie"]


@pytest.mark.parametrize(
    ("value", "comes_back"),
    [
        ("a=1", "a=1"),
        ("a=1; Path=/", f"a=1; Path={PATH}"),
        ("a=1; path=/sap; HttpOnly", f"a=1; Path={PATH}; HttpOnly"),
        ("a=1; Path=/sap/opu", f"a=1; Path={PATH}"),
        ("a=1; Path=/sap/opu/; Secure", f"a=1; Path={PATH}; Secure"),
        ("a=1; Path=/sap/opu/odata; SameSite=None", f"a=1; Path={PATH}/odata; SameSite=None"),
        ("a=1; Domain=.sap.example; Path=/; Max-Age=60", f"a=1; Path={PATH}; Max-Age=60"),
        ("a=1; Path=nonsense", "a=1"),
        ("a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
    ],
)
def test_they_come_back_for_this_address_alone(upstream, program, define, value, comes_back):
    define("api_cookies = true")
    upstream.answers(b"", Set_Cookie=value)
    assert program.get("sessions").all("Set-Cookie") == [comes_back]


@pytest.mark.parametrize(
    "value",
    [
        "a=1; Path=/elsewhere",
        "a=1; Path=/sap/opulent",
        "console=stolen; Path=/",
        "a=the-key-of-alice",
    ],
)
def test_some_do_not_come_back(upstream, program, define, settings, value):
    settings.SESSION_COOKIE_NAME = "console"
    define("api_cookies = true")
    upstream.answers(b"", Set_Cookie=value)
    answer = program.get("sessions")
    assert answer.all("Set-Cookie") == []
    assert answer.all("Console-Dropped-Response") == ["Set-Cookie"]
