"""What one person sees is kept by no cache, and shown by no browser's Back after signing out."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from console.accounts.policy import Who, rule_of


class NoStoreMiddleware:
    """Send ``Cache-Control: no-store`` unless a public route has decided otherwise itself.

    A new route need not think of it. Static files, and calls that are passed on to services, do
    not come here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        rule = rule_of(request.resolver_match)
        is_public = rule is not None and rule.who is Who.PUBLIC
        if not (is_public and response.has_header("Cache-Control")):
            response["Cache-Control"] = "no-store"
        return response
