"""Request types, redirects and messages that all views use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django_htmx.http import HttpResponseClientRedirect

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from console.accounts.models import Membership, Organization, User


class ConsoleRequest(HttpRequest):
    """The type of requests after ``ActiveOrganizationMiddleware``.

    ``root`` is the path of the console. ``prefix`` is the path of the organization that the URL
    names, such as ``/o/studio/``, and empty if it names none.
    """

    user: Any
    organization: Organization | None
    memberships: Sequence[Membership]
    prefix: str
    root: str


class SignedInRequest(ConsoleRequest):
    """The type of requests after ``LoginRequiredMiddleware`` and django-htmx."""

    user: User
    htmx: HtmxDetails


class SeeOther(HttpResponseRedirect):
    """Redirect with 303 after a POST (RFC 9110 section 15.4.4)."""

    status_code = 303


def leave_page(request: SignedInRequest, url: str) -> HttpResponse:
    """Redirect to another page, also from a request of htmx, which would only load a part of it."""
    return HttpResponseClientRedirect(url) if request.htmx else SeeOther(url)


#: How many results are shown one by one; the rest are counted.
_MAX_SHOWN = 8


def show_results(request: SignedInRequest, sentences: Sequence[str]) -> None:
    """Show the result for each revoked account, up to a limit."""
    for sentence in sentences[:_MAX_SHOWN]:
        messages.info(request, sentence)
    if (rest := len(sentences) - _MAX_SHOWN) > 0:
        messages.info(
            request,
            f"{rest} more {'account was' if rest == 1 else 'accounts were'} erased here. Activity "
            "has the answers of services.",
        )
