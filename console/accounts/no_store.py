"""``Cache-Control: no-store``: no cache and no Back button shows a person's pages to another."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from console.accounts.policy import Audience, rule_for


class NoStoreMiddleware:
    """Send ``Cache-Control: no-store`` unless a public route sets the header itself.

    It covers new routes automatically. Static files and proxied calls do not pass through it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        rule = rule_for(request.resolver_match)
        is_public = rule is not None and rule.audience is Audience.PUBLIC
        if not (is_public and response.has_header("Cache-Control")):
            response["Cache-Control"] = "no-store"
        return response
