from __future__ import annotations

import pytest

from connectors.api.auth_strategies import AUTH_TYPES
from connectors.api.pasted_credential import NotACredential, cleaned
from connectors.definitions.registry import get_connector

#: A connector and a field for each kind of signing.
BEARER = ("sendgrid", "key")
OWN_HEADER = ("sandbox_api_key", "key")
BOM, ZERO_WIDTH, NO_BREAK, SOFT_HYPHEN = "\ufeff", "\u200b", "\u00a0", "\u00ad"


def pasted(text: str, slug: str, name: str, kind: str = "api_key") -> str:
    connector = get_connector(slug)
    fields = AUTH_TYPES[kind].fields(connector)
    return cleaned(text, next(b for b in fields if b.name == name), connector, kind)


@pytest.mark.parametrize(
    "text",
    [
        "key-1",
        " key-1 ",
        "\tkey-1\r\n",
        "key-1\n",
        f"{NO_BREAK}key-1{NO_BREAK}",
        "\u3000key-1\u2028",
        f"{BOM}key-1",
        f"{ZERO_WIDTH}key-1{ZERO_WIDTH}",
        f"ke{ZERO_WIDTH}y{SOFT_HYPHEN}-1",
        f" {BOM} key-1{ZERO_WIDTH} \n",
        "Bearer key-1",
        "bearer  key-1",
        f"Bearer{NO_BREAK}key-1",
        "Bearer Bearer key-1",
        "Authorization: Bearer key-1",
        "authorization:Bearer key-1\r\n",
    ],
)
def test_it_removes_text_copied_with_a_key(text):
    assert pasted(text, *BEARER) == "key-1"


@pytest.mark.parametrize(
    ("where", "text", "key"),
    [
        (("mapbox", "access_token"), "access_token=pk.1", "pk.1"),
        (("mapbox", "access_token"), "?access_token=pk.1", "pk.1"),
        (("elevenlabs", "key"), "xi-api-key: 1", "1"),
        (("elevenlabs", "key"), "XI-API-KEY:1", "1"),
        (("pagerduty", "key"), "Token token=abc", "abc"),
        (("pagerduty", "key"), "Authorization: Token token=abc", "abc"),
    ],
)
def test_it_removes_the_prefix_that_the_connector_adds(where, text, key):
    slug, name = where
    assert pasted(text, slug, name) == key


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (BEARER, "Basic dXNlcjpwYXNz"),
        (BEARER, "Authorization: Token abc"),
        (OWN_HEADER, "Bearer abc"),
        (("stripe", "secret_key"), "Basic abc"),
    ],
)
def test_it_refuses_the_prefix_of_another_scheme(where, text):
    with pytest.raises(NotACredential, match="without it"):
        pasted(text, *where)


@pytest.mark.parametrize("text", ["a\nb", "a\r\nX-Evil: 1", "nul\0", "a\tb", "a\x85b", "a\u2028b"])
def test_it_refuses_a_line_break_inside_a_key(text):
    with pytest.raises(NotACredential, match="in one line"):
        pasted(text, *BEARER)


@pytest.mark.parametrize("text", ["sk\u2013live", "sk_••••1234", "ключ", "café"])
def test_it_refuses_characters_that_a_header_cannot_contain(text):
    with pytest.raises(NotACredential, match="cannot be sent") as refused:
        pasted(text, *BEARER)
    assert text not in str(refused.value)


@pytest.mark.parametrize("text", ["a b", "a\u00a0b", "API key: abc"])
def test_it_refuses_a_space_inside_a_key(text):
    with pytest.raises(NotACredential, match="contains a space"):
        pasted(text, *BEARER)


def test_a_key_can_be_as_long_as_a_json_web_token():
    assert pasted("Bearer " + "e" * 8_192, *BEARER) == "e" * 8_192
    with pytest.raises(NotACredential, match="at most 8,192 characters; this has 8,193"):
        pasted("e" * 8_193, *BEARER)


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("pass word", "pass word"),
        ("  pass  word \n", "pass  word"),
        (f"{BOM}pässwörd 🔑", "pässwörd 🔑"),
        ("Bearer of news", "Bearer of news"),
        ("Basic instinct", "Basic instinct"),
        ("a:b", "a:b"),
        ("क्\u200dष", "क्\u200dष"),
    ],
)
def test_it_keeps_the_inside_of_a_password(text, password):
    assert pasted(text, "sandbox_basic", "password", "basic") == password


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("password", "a\nb", "line break"),
        ("password", f"a{ZERO_WIDTH}b", "invisible"),
        ("password", "Basic dXNlcjpwYXNz", "whole header"),
        ("username", "Authorization: Basic dXNlcjpwYXNz", "whole header"),
        ("username", "alice:secret", "colon"),
    ],
)
def test_it_refuses_an_invalid_password(name, text, message):
    with pytest.raises(NotACredential, match=message):
        pasted(text, "sandbox_basic", name, "basic")


@pytest.mark.parametrize(
    ("slug", "kind"),
    [
        (connector.slug, kind)
        for connector in map(get_connector, ("twilio", "algolia", "trello", "stripe", "recurly"))
        for kind in connector.auth_types
        if kind != "oauth2"
    ],
)
def test_it_keeps_a_plain_value_of_any_field(slug, kind):
    for field in AUTH_TYPES[kind].fields(get_connector(slug)):
        assert pasted("a1b2_C-3", slug, field.name, kind) == "a1b2_C-3"
