"""No path leaves the API. The requests themselves are tested in tests/connections."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.api.request_urls import api_url
from connectors.definitions.registry import get_connector
from connectors.errors import ServiceForbidden

BASE = "https://hub.example.com/hub/api"
KNOWN = {"scheme": "https", "host": "hub.example.com"}
#: What attackers write, in any order, with anything between.
PIECES = st.one_of(
    st.sampled_from(
        [
            "/",
            "//",
            ".",
            "..",
            "\\",
            ";",
            "@",
            ":",
            "?",
            "#",
            "%",
            "%2e",
            "%2E",
            "%2f",
            "%5c",
            "%25",
            "%252e",
            "%00",
            "%0a",
            "\t",
            "\r\n",
            "evil.example",
        ]
    ),
    st.text(max_size=3),
)


@given(st.lists(PIECES, max_size=12).map("".join))
@example("/..%2f..%2fadmin")
@example("/%2e%2e/%2e%2e/@evil.example")
@example("/%252e%252e%252fadmin")
@example("%00/../admin")
def test_a_path_cannot_leave_the_api(tail: str) -> None:
    for path in (tail, f"/{tail}", f"/users/{tail}"):
        try:
            address = api_url(get_connector("jupyterhub"), path, KNOWN)
        except ServiceForbidden:
            continue
        sent = requests.Request("GET", address).prepare().url
        for url in (address, sent):
            parts = urlsplit(url)
            assert (parts.scheme, parts.netloc) == ("https", "hub.example.com")
            assert f"{parts.path}/".startswith("/hub/api/")
            assert "\0" not in unquote(unquote(parts.path))
            segments = unquote(unquote(parts.path)).replace("\\", "/").split("/")
            assert not {".", ".."} & {segment.partition(";")[0] for segment in segments}
            assert not parts.query
            assert not parts.fragment


@given(st.text(min_size=1).filter(lambda text: text not in {".", ".."}))
def test_an_encoded_value_is_sent_unchanged(value: str) -> None:
    segment = quote(value, safe="", errors="replace")
    try:
        address = api_url(get_connector("jupyterhub"), f"/users/{segment}", KNOWN)
    except ServiceForbidden:
        return
    sent = requests.Request("GET", address).prepare().url
    assert unquote(urlsplit(sent).path.removeprefix("/hub/api/users/")) == unquote(segment)


@pytest.mark.parametrize("path", ["", "/", "/users", "/users/%2F", "/users/%2F%2f/x", "/a%20b"])
def test_a_plain_path_is_sent_unchanged(path: str) -> None:
    assert api_url(get_connector("jupyterhub"), path, KNOWN) == BASE + path


@pytest.mark.parametrize(
    "path",
    [
        "users",
        "//users",
        "/%2Fusers",
        "/%5cusers",
        "/%252fusers",
        "/users%00",
        "/users%2500",
        "/%2e%2e%2fadmin",
        "/%252e%252e/admin",
        "/users/%c0%ae%c0%ae/admin",
        "/users/..%c0%af",
        "/users/%25c0%25ae%25c0%25ae/admin",
        "/users/%e0%80%ae%e0%80%ae/admin",
        "/users/..%c1%9cadmin",
        "/users/%25252525252e/",
    ],
)
def test_it_refuses_a_path_that_a_server_could_resolve_to_another(path: str) -> None:
    with pytest.raises(ServiceForbidden, match="could lead out of JupyterHub's API"):
        api_url(get_connector("jupyterhub"), path, KNOWN)
