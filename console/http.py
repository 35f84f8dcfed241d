"""Requests and answers as this console's views know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponseRedirect

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from console.accounts.models import User


class SignedInRequest(HttpRequest):
    """A request behind ``LoginRequiredMiddleware`` and django-htmx, for annotations."""

    user: User
    htmx: HtmxDetails


class SeeOther(HttpResponseRedirect):
    """303: what was posted is done, look there (RFC 9110 section 15.4.4)."""

    status_code = 303
