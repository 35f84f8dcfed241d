"""The loader: token requests, headers and keys, and their faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.definitions.loader import read
from tests.connectors.definitions.test_loader import BASIC, GOOD, WITHOUT_OAUTH, changed, faults

EXCHANGE = """
[oauth2.exchange]
endpoint = "https://acme.example/longer"
grant_type = "long"
parameter = "short_token"
"""
RENEWAL = EXCHANGE.replace("exchange", "renewal")


def under_oauth2(line: str) -> str:
    return changed("[oauth2]", f"[oauth2]\n{line}")


def test_a_check_can_leave_out_the_account(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(changed('account = ["email"]', ""))
    assert read(tmp_path / "acme.toml").check.account == ()


@pytest.mark.parametrize("empty", ["basic_user", "basic_password"])
def test_a_key_can_be_only_the_user_name_or_only_the_password(tmp_path: Path, empty: str) -> None:
    lines = WITHOUT_OAUTH.splitlines()
    text = "\n".join(line for line in lines if not line.startswith(empty))
    (tmp_path / "acme.toml").write_text(text)
    assert read(tmp_path / "acme.toml").basic is not None


def test_it_reads_a_token_exchange(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(GOOD + EXCHANGE + RENEWAL + "client = []\n")
    oauth2 = read(tmp_path / "acme.toml").oauth2
    assert oauth2 is not None and oauth2.exchange and oauth2.renewal
    assert oauth2.exchange.client == ("client_id", "client_secret")
    assert oauth2.renewal.client == ()


def test_headers_can_contain_the_client_id(tmp_path: Path) -> None:
    text = f'api_headers = {{ Client-Id = "{{client_id}}" }}\n{GOOD}'
    (tmp_path / "acme.toml").write_text(text)
    assert read(tmp_path / "acme.toml").names_its_client


REFUSALS = {
    "the client of a key": (
        f'api_headers = {{ Client-Id = "{{client_id}}" }}\n{GOOD}{BASIC}',
        "api_headers.Client-Id",
        "Nothing provides {client_id}",
    ),
    "the client's secret": (
        f'api_headers = {{ X-Key = "{{client_secret}}" }}\n{GOOD}',
        "api_headers.X-Key",
        "Nothing provides {client_secret}",
    ),
    "a header from nowhere": (
        changed('path = "/me"', 'path = "/me"\nheaders = { X-Place = "{place}" }'),
        "check.headers.X-Place",
        "Nothing provides {place}",
    ),
    "a parameter by a name that is taken": (
        changed('name = "region"', 'name = "client_id"'),
        "parameters.0.name",
        "Choose another name",
    ),
    "a field of the protocol as an addition": (
        under_oauth2('token_parameters = { grant_type = "x" }'),
        "oauth2.token_parameters.grant_type",
        "The protocol already sends this",
    ),
    "the client's own name as an addition": (
        under_oauth2('client_id_parameter = "key"\ntoken_parameters = { key = "x" }'),
        "oauth2.token_parameters.key",
        "The protocol already sends this",
    ),
    "a parameter that is none": (
        under_oauth2('client_id_parameter = "client id"'),
        "oauth2.client_id_parameter",
        "not the name of a parameter",
    ),
    "a renewal of nothing": (GOOD + RENEWAL, "oauth2.renewal", "needs an exchange"),
    "an exchange and a refresh": (
        under_oauth2('refresh_endpoint = "https://acme.example/refresh"') + EXCHANGE,
        "oauth2.refresh_endpoint",
        "not refreshed",
    ),
    "a plain refresh": (
        under_oauth2('refresh_endpoint = "http://acme.example/refresh"'),
        "oauth2.refresh_endpoint",
        "Only the sandbox",
    ),
    "an exchange from nowhere": (
        GOOD + EXCHANGE.replace("acme.example", "{place}.acme.example"),
        "oauth2.exchange.endpoint",
        "Nothing provides {place}",
    ),
    "an exchange without a token": (
        GOOD + EXCHANGE.replace('parameter = "short_token"', ""),
        "oauth2.exchange.parameter",
        "missing",
    ),
    "another proof of the client": (
        f'{GOOD}{EXCHANGE}client = ["client_assertion"]\n',
        "oauth2.exchange.client.0",
        "'client_id', 'client_secret'",
    ),
    "an authorization parameter from nowhere": (
        under_oauth2('authorize_parameters = { place = "{place}" }'),
        "oauth2.authorize_parameters.place",
        "Nothing provides {place}",
    ),
    "a signature without user and password": (
        "\n".join(line for line in WITHOUT_OAUTH.splitlines() if not line.startswith("basic_")),
        "basic.signing",
        "would not be signed",
    ),
}


@pytest.mark.parametrize(("text", "key", "message"), REFUSALS.values(), ids=REFUSALS)
def test_it_refuses(tmp_path: Path, text: str, key: str, message: str) -> None:
    assert message in faults(tmp_path, text)[key]
