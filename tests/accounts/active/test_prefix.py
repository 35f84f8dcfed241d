"""The script prefix of an organization ends with its request, also after an error."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections as database_connections
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.urls import get_script_prefix, path, reverse, set_script_prefix

import console.urls
from console.accounts.policy import RULES, Audience, RouteRule

ELSEWHERE, STUDIO = "/o/elsewhere/", "/o/studio/"


def fail(request):
    raise RuntimeError(reverse("home"))


def stream(request):
    return StreamingHttpResponse(reverse(name) + " " for name in ("home", "connection_list"))


def plain(request):
    return HttpResponse(reverse("home"))


urlpatterns = [
    *console.urls.urlpatterns,
    path("failing/", fail, name="failing"),
    path("streaming/", stream, name="streaming"),
    path("plain/", plain, name="plain"),
]


@pytest.fixture
def some_routes(monkeypatch) -> None:
    for name in ("failing", "streaming", "plain"):
        monkeypatch.setitem(RULES, name, RouteRule(Audience.SIGNED_IN))


@pytest.mark.urls(__name__)
def test_the_prefix_ends_with_the_request(client, some_routes):
    assert client.get(f"{STUDIO}plain/").content.decode() == STUDIO
    assert get_script_prefix() == "/"
    with pytest.raises(RuntimeError, match=STUDIO):
        client.get(f"{STUDIO}failing/")
    assert get_script_prefix() == "/"
    client.raise_request_exception = False
    page = client.get(f"{STUDIO}failing/")
    assert page.status_code == 500
    assert get_script_prefix() == "/"
    assert client.get(f"{STUDIO}nothing/like/that/").status_code == 404
    assert get_script_prefix() == "/"


@pytest.mark.urls(__name__)
def test_streamed_parts_have_the_prefix(client, some_routes):
    answer = client.get(f"{STUDIO}streaming/")
    parts = iter(answer.streaming_content)
    assert next(parts).decode() == f"{STUDIO} "
    assert get_script_prefix() == "/"
    assert next(parts).decode() == f"{STUDIO}microservices/ "
    assert list(parts) == []
    assert get_script_prefix() == "/"


@pytest.mark.urls(__name__)
@pytest.mark.django_db(transaction=True)
def test_threads_do_not_share_the_prefix(client, both, some_routes):
    def look(number: int) -> bool:
        browser = Client()
        browser.cookies.update(client.cookies)
        start = (STUDIO, ELSEWHERE)[number % 2]
        try:
            return browser.get(f"{start}plain/").content.decode() == start
        finally:
            database_connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(look, range(24)))


def test_it_works_below_a_path_of_the_server(client, connect):
    place = reverse("connection_authorize", args=[connect("slack").pk])

    def ask(path_info: str) -> str:
        cookies = "; ".join(f"{name}={each.value}" for name, each in client.cookies.items())
        request = RequestFactory(SCRIPT_NAME="/console", HTTP_COOKIE=cookies).get(path_info)
        set_script_prefix("/console")  # as the handler does before it calls any middleware
        try:
            answer = WSGIHandler().get_response(request)
            assert get_script_prefix() == "/console/"
        finally:
            set_script_prefix("/")
        return answer.get("Location") or answer.content.decode()

    assert ask("/apps/") == "/console/o/elsewhere/apps/"
    assert ask("/o/studio/accounts/email/") == "/console/accounts/email/"
    page = ask(f"/o/studio{place}")
    assert 'href="/console/o/studio/"' in page
    assert 'href="/console/o/elsewhere/"' in page
    assert f"{settings.PUBLIC_URL}/oauth/callback/studio--slack/" in page
