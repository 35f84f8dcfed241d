"""Answers that Django does not ship."""

from django.http import HttpResponseRedirect


class SeeOther(HttpResponseRedirect):
    """303: what was posted is done, look there (RFC 9110 section 15.4.4)."""

    status_code = 303
