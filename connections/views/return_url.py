"""Where people go back to after an authorization, such as the page *Publish to Stage*."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

#: The longest URL to return to; it is stored with a flow.
MAX_LENGTH = 5_000


def return_url(request: HttpRequest) -> str:
    """Return the page of this console that ``next`` names, or an empty string."""
    given = request.POST if request.method == "POST" else request.GET
    url = given.get("next", "")
    is_ours = url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return url if is_ours and len(url) <= MAX_LENGTH else ""
