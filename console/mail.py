"""Whether this console sends mail at all (``EMAIL_URL``)."""

from __future__ import annotations

from django.conf import settings


def is_off() -> bool:
    """Tell whether mail goes nowhere: the deployment has no mail server."""
    return settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")
