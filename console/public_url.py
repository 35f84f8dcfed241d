"""Absolute URLs for use outside the console, such as in mail and redirect URIs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import get_resolver


def public_url(route: str, *arguments: Any) -> str:
    """Return the absolute URL of a route, built on ``PUBLIC_URL``.

    It does not depend on the current request: not on its Host header, and not on the organization
    in its path.
    """
    return f"{settings.PUBLIC_URL}/{get_resolver().reverse(route, *arguments)}"
