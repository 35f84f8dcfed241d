"""Where an application is opened."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError

#: Plain host names and addresses alone: the origin stands in a header of the page that opens it.
_LAUNCH_URL = re.compile(
    r"(https://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])|http://(localhost|127\.0\.0\.1))"
    r"(:[0-9]{1,5})?(/[!$-&(-;=?-\[\]_a-z~]*)?"
)


def validate_launch_url(value: str) -> None:
    """Refuse what no browser should be led to with a token."""
    if not _LAUNCH_URL.fullmatch(value):
        raise ValidationError(
            "Give an address that begins with https://, or with http://localhost for an "
            "application on your own machine, without a user name and without a fragment (#)."
        )
