"""``manage.py check`` and the middleware reject routes without a matching rule."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.contrib.auth.decorators import login_not_required
from django.core.checks import run_checks
from django.http import HttpResponse
from django.test import Client
from django.urls import URLResolver, include, path
from django.urls.resolvers import RegexPattern

import console.urls
from console.accounts import checks
from console.accounts.policy import RULES, Audience, RouteRule, Target, public


def page(request):
    return HttpResponse("opened")


@login_not_required
def open_page(request):
    return HttpResponse("opened")


def found(patterns, rules) -> list[str]:
    resolver = URLResolver(RegexPattern(r"^/"), patterns)
    return [each.id for each in checks.disagreements(resolver, rules)]


#: The console's URLs with routes that have no rule.
urlpatterns = [
    *console.urls.urlpatterns,
    path("forgotten/", page, name="forgotten"),
    path("forgotten/open/", open_page, name="forgotten_open"),
    path("forgotten/nameless/", page),
]


def test_the_console_passes_its_checks():
    assert [each for each in run_checks() if each.id.startswith("console.")] == []


@pytest.mark.parametrize("name", ["forgotten", None])
def test_it_reports_a_route_without_a_rule(name):
    assert found([path("x/", page, name=name)], {}) == ["console.E001"]


def test_it_checks_included_routes():
    inner = ([path("x/", page, name="x")], "inner")
    assert found([path("", include(inner))], {}) == ["console.E001"]
    assert found([path("", include(inner))], {"inner": RouteRule(Audience.SIGNED_IN)}) == []
    assert found([path("", include(inner))], {"inner:x": RouteRule(Audience.SIGNED_IN)}) == []


def test_it_reports_a_rule_without_a_route():
    assert found([], {"gone": RouteRule(Audience.SIGNED_IN)}) == ["console.E002"]


def test_it_reports_rules_that_disagree_with_the_view():
    assert found([path("x/", page, name="x")], {"x": public("Why not.")}) == ["console.E003"]
    assert found([path("x/", open_page, name="x")], {"x": RouteRule(Audience.SIGNED_IN)}) == [
        "console.E003"
    ]


def test_it_requires_a_reason_for_public_routes():
    rules = {"x": RouteRule(Audience.PUBLIC, Target.NONE)}
    assert found([path("x/", open_page, name="x")], rules) == ["console.E004"]


def test_every_error_has_a_hint():
    resolver = SimpleNamespace(url_patterns=[path("x/", page, name="x")])
    for each in checks.disagreements(resolver, {"gone": RouteRule(Audience.SIGNED_IN)}):
        assert each.hint


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("place", ["/forgotten/", "/forgotten/open/", "/forgotten/nameless/"])
def test_a_route_without_a_rule_is_closed_even_if_checks_did_not_run(
    place, signed_in, operator, super_admin
):
    for client in (Client(), signed_in(super_admin), signed_in(operator)):
        answer = client.get(place)
        assert (answer.status_code, b"opened" in answer.content) == (404, False)
    assert signed_in(super_admin).get("/o/studio" + place).status_code == 404


@pytest.mark.urls(__name__)
def test_the_same_route_opens_with_a_rule(signed_in, super_admin, monkeypatch):
    monkeypatch.setitem(RULES, "forgotten", RouteRule(Audience.SIGNED_IN))
    assert signed_in(super_admin).get("/forgotten/").content == b"opened"
    monkeypatch.setitem(RULES, "forgotten", RouteRule(Audience.OPERATOR))
    assert signed_in(super_admin).get("/forgotten/").status_code == 403
