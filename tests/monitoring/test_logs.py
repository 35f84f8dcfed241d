from __future__ import annotations

import json
import logging

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from structlog.contextvars import clear_contextvars

from console.monitoring.logs import configuration
from tests.monitoring.log_capture import leaked, written

HEALTH = reverse("healthz")


def lines(log: str) -> list[dict]:
    return [json.loads(line) for line in log.splitlines()]


def test_each_request_has_a_name_in_its_answer_and_in_its_lines(client, db):
    with written("json") as log:
        first = client.get("/nowhere", headers={"Host": "elsewhere.test"})
        second = client.get(reverse("account_login"))
        told = lines(log())
    assert first["X-Request-Id"] != second["X-Request-Id"]
    assert [line["request_id"] for line in told if line["logger"] == "console.monitoring.logs"] == [
        first["X-Request-Id"],
        second["X-Request-Id"],
    ]
    # What others log meanwhile belongs to it as well.
    (refused,) = [line for line in told if line["logger"] == "django.security.DisallowedHost"]
    assert refused["request_id"] == first["X-Request-Id"]
    assert {"timestamp", "level", "logger", "event"} <= set(told[0])


def test_a_line_tells_the_route_and_what_came_of_it(developer_client, connect):
    connection = connect()
    with written("json", "INFO") as log:
        developer_client.get(connection.get_absolute_url() + "?code=secret")
        (line,) = lines(log())
    assert (line["method"], line["route"], line["status"]) == (
        "GET",
        "connections/<uuid:pk>/",
        200,
    )
    assert isinstance(line["milliseconds"], int)
    assert "secret" not in str(line)


@pytest.mark.parametrize("given", ["0123456789abcdef", "a" * 64, "A-b_c.d-1"])
def test_a_name_that_came_along_counts_behind_a_proxy(client, db, settings, given):
    assert client.get(HEALTH, headers={"X-Request-Id": given})["X-Request-Id"] != given
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert client.get(HEALTH, headers={"X-Request-Id": given})["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "two words here", "a\nb" * 5, "é" * 9])
def test_only_a_short_token_is_a_name(client, db, settings, given):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    name = client.get(HEALTH, HTTP_X_REQUEST_ID=given)["X-Request-Id"]
    assert len(name) == 32
    assert name != given


@pytest.mark.parametrize("form", ["json", "line"])
def test_an_exception_is_told_without_the_values_of_variables(form):
    password = "a-password-of-these-tests"
    clear_contextvars()  # as outside of any request
    with written(form) as log:
        try:
            raise ValueError("What went wrong")
        except ValueError:
            logging.getLogger("console").exception("It failed\nin two lines, with é")
        told = log()
    assert "What went wrong" in told
    assert "test_logs.py" in told
    assert password not in told
    if form == "json":
        (line,) = lines(told)
        assert line["event"] == "It failed\nin two lines, with é"
        assert line["request_id"] is None


def test_what_hangs_on_a_record_is_left_out():
    with written("json") as log:
        logging.getLogger("console").warning("Words", extra={"request": "secret", "status": 7})
        (line,) = lines(log())
    assert line["status"] == 7
    assert "secret" not in str(line)


def test_no_path_is_logged(client, db):
    with written("line") as log:
        client.get("/nowhere/a-token-in-the-path/")
        client.get(reverse("account_reset_password_from_key", args=["1", "a-token-in-the-path"]))
        told = log()
    assert " GET : 404 in" in told
    assert "a-token-in-the-path" not in told


def test_whoever_watches_is_told_of_at_debug_alone(client, db):
    with written("line", "INFO") as log:
        client.get(HEALTH)
        client.get(reverse("account_login"))
        told = log()
    assert "healthz" not in told
    assert "GET accounts/login/: 200 in" in told


def test_there_are_two_forms():
    with pytest.raises(ImproperlyConfigured, match="json or line"):
        configuration(form="xml", level="INFO")


@pytest.mark.parametrize(
    "text",
    ["S3cret/v+lue", "UzNjcmV0L3YrbHVl", "S3cret%2Fv%2Blue", "eyJhIjoiUzNjcmV0L3YrbHVlIn0"],
)
def test_a_leak_is_found(text):
    """The control of every test that finds none."""
    assert leaked(f"before {text} after", {"it": "S3cret/v+lue"})
    assert not leaked("before after", {"it": "S3cret/v+lue"})
