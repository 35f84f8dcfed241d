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


def test_each_request_has_an_id_in_its_response_and_log_lines(client, db):
    with written("json") as log:
        first = client.get("/nowhere", headers={"Host": "elsewhere.test"})
        second = client.get(reverse("account_login"))
        logged = lines(log())
    assert first["X-Request-Id"] != second["X-Request-Id"]
    assert [
        line["request_id"] for line in logged if line["logger"] == "console.monitoring.logs"
    ] == [
        first["X-Request-Id"],
        second["X-Request-Id"],
    ]
    # Lines of other loggers have the id of the request as well.
    (refused,) = [line for line in logged if line["logger"] == "django.security.DisallowedHost"]
    assert refused["request_id"] == first["X-Request-Id"]
    assert {"timestamp", "level", "logger", "event"} <= set(logged[0])


def test_a_line_has_the_route_and_the_status(developer_client, connect):
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
def test_the_id_in_a_request_is_used_behind_a_proxy(client, db, settings, given):
    assert client.get(HEALTH, headers={"X-Request-Id": given})["X-Request-Id"] != given
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert client.get(HEALTH, headers={"X-Request-Id": given})["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "two words here", "a\nb" * 5, "é" * 9])
def test_only_a_short_token_is_a_valid_id(client, db, settings, given):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    request_id = client.get(HEALTH, HTTP_X_REQUEST_ID=given)["X-Request-Id"]
    assert len(request_id) == 32
    assert request_id != given


@pytest.mark.parametrize("form", ["json", "line"])
def test_tracebacks_have_no_values_of_variables(form):
    password = "a-password-of-these-tests"
    clear_contextvars()  # as outside a request
    with written(form) as log:
        try:
            raise ValueError("What went wrong")
        except ValueError:
            logging.getLogger("console").exception("It failed\nin two lines, with é")
        logged = log()
    assert "What went wrong" in logged
    assert "test_logs.py" in logged
    assert password not in logged
    if form == "json":
        (line,) = lines(logged)
        assert line["event"] == "It failed\nin two lines, with é"
        assert line["request_id"] is None


def test_other_extra_fields_are_left_out():
    with written("json") as log:
        logging.getLogger("console").warning("Words", extra={"request": "secret", "status": 7})
        (line,) = lines(log())
    assert line["status"] == 7
    assert "secret" not in str(line)


def test_no_path_is_logged(client, db):
    with written("line") as log:
        client.get("/nowhere/a-token-in-the-path/")
        client.get(reverse("account_reset_password_from_key", args=["1", "a-token-in-the-path"]))
        logged = log()
    assert " GET : 404 in" in logged
    assert "a-token-in-the-path" not in logged


def test_monitoring_requests_are_logged_at_debug_only(client, db):
    with written("line", "INFO") as log:
        client.get(HEALTH)
        client.get(reverse("account_login"))
        logged = log()
    assert "healthz" not in logged
    assert "GET accounts/login/: 200 in" in logged


def test_it_refuses_an_unknown_format():
    with pytest.raises(ImproperlyConfigured, match="json or line"):
        configuration(form="xml", level="INFO")


@pytest.mark.parametrize(
    "text",
    ["S3cret/v+lue", "UzNjcmV0L3YrbHVl", "S3cret%2Fv%2Blue", "eyJhIjoiUzNjcmV0L3YrbHVlIn0"],
)
def test_log_capture_finds_a_leaked_secret(text):
    """The negative tests rely on this."""
    assert leaked(f"before {text} after", {"it": "S3cret/v+lue"})
    assert not leaked("before after", {"it": "S3cret/v+lue"})
