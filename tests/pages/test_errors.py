"""Error pages for requests that fail."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.urls import reverse

from tests.connections.flow_steps import words_of

PAGES = ["home", "connection_list", "application_list", "health_list", "security", "admin:index"]


def raising(error: Exception) -> Any:
    """Make every database statement raise an error."""

    def execute(*arguments: object) -> NoReturn:
        raise error

    connection.ensure_connection()  # opening it runs statements of its own
    return connection.execute_wrapper(execute)


@pytest.fixture
def browser(super_admin, signed_in) -> Any:
    client = signed_in(super_admin)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("page", PAGES)
def test_pages_say_that_the_database_is_unavailable(browser, page, error):
    with raising(error("connection to 10.0.0.7, port 5432 failed")):
        response = browser.get(reverse(page))
    assert (response.status_code, response["Retry-After"]) == (503, "10")
    assert "cannot reach its database" in words_of(response)
    assert "10.0.0.7" not in response.content.decode()
    assert browser.get(reverse(page)).status_code == 200


def test_a_post_says_it_too(browser, connect):
    url = reverse("connection_rename", args=[connect(name="Leads").pk])
    with raising(OperationalError("server closed the connection")):
        response = browser.post(url, {"name": "Others"})
    assert response.status_code == 503
    assert "Leads" in words_of(browser.get(reverse("connection_list")))


def test_unexpected_errors_are_shown_without_details(browser, caplog):
    with raising(RuntimeError("the reason")):
        response = browser.get(reverse("home"))
    assert response.status_code == 500
    assert "Something broke on our side" in words_of(response)
    assert "the reason" not in response.content.decode()
