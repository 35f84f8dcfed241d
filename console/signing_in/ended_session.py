"""Forms that arrive after their session has ended, or with the CSRF token of an earlier session.

Nothing of such a form is processed or kept on the server. The person signs in and returns to the
page with the form, which says that nothing was saved. The browser has kept what they typed, and
puts it back into the form (``console.js``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.urls import get_script_prefix, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.csrf import csrf_failure

from console.accounts.http import SignedInRequest, leave_page

#: The tag of a message about an unsaved form; the page then restores what was typed.
UNSAVED = "unsaved"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Redirect to the sign-in page, and from there back to the page of a submitted form."""

    def handle_no_permission(self, request: Any, view_func: Any) -> Any:
        is_form = request.method not in SAFE_METHODS
        if not is_form and not request.htmx:
            return super().handle_no_permission(request, view_func)
        following = _page_of_form(request) or request.get_full_path()
        if is_form:
            messages.warning(
                request,
                "You were signed out, so the form was not saved. Sign in to return to it.",
            )
            following = f"{reverse('form_return')}?{urlencode({'to': following})}"
        query = urlencode({REDIRECT_FIELD_NAME: following}, safe="/")
        url = f"{resolve_url(self.get_login_url(view_func))}?{query}"
        return leave_page(request, url) if request.htmx else redirect(url)


class FormURLMiddleware:
    """Redirect a person who opens the URL of a form's action to the nearest page above it.

    Such a URL accepts POST only. It is in the address bar if the form was shown again with errors.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        if is_page and isinstance(response, HttpResponseNotAllowed):
            return leave_page(cast(SignedInRequest, request), _page_above(request.path_info))
        return response


def explain_csrf_failure(request: Any, reason: str = "") -> HttpResponse:
    """Return to the page of a form whose CSRF token is out of date, or answer 403.

    Signing in changes the token, and forms in other tabs then have the old one. A form of another
    site has no page here.
    """
    page = _page_of_form(request)
    if not request.user.is_authenticated or not page:
        return csrf_failure(request, reason)
    messages.warning(
        request,
        "This page was open while you signed in or out in another tab, so the form was not saved. "
        "Check it and send it again.",
        extra_tags=UNSAVED,
    )
    return leave_page(request, page)


def _page_of_form(request: HttpRequest) -> str:
    """Return the path of the page that sent the request; empty if it is not a page of ours."""
    page = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}):
        return ""
    path = urlsplit(page)._replace(scheme="", netloc="", fragment="").geturl()
    return "" if path.startswith("//") else path


def _page_above(path: str) -> str:
    """Return the URL of the nearest page above a path."""
    while path := path.rstrip("/").rpartition("/")[0]:
        try:
            resolve(f"{path}/")
        except Http404:
            continue
        return f"{get_script_prefix()[:-1]}{path}/"
    return reverse("home")
