"""Validate launch URLs, the URLs at which the console opens applications."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError

#: Only plain host names and IP addresses: the origin becomes part of a response header.
_LAUNCH_URL = re.compile(
    r"(https://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])|http://(localhost|127\.0\.0\.1))"
    r"(:[0-9]{1,5})?(/[!$-&(-;=?-\[\]_a-z~]*)?"
)


def validate_launch_url(value: str) -> None:
    """Reject URLs to which the console must not send a browser with a token."""
    if not _LAUNCH_URL.fullmatch(value):
        raise ValidationError(
            "Enter a URL that starts with https://, or with http://localhost for an application on "
            "your own computer, without a user name and without a fragment (#)."
        )
