"""Addresses that leave the console: registered at services, mailed to people."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import get_resolver


def public_url(route: str, *arguments: Any) -> str:
    """Return the whole address of a route as the outside knows it.

    It depends on no request: neither on its Host header nor on the organization in its path.
    """
    return f"{settings.PUBLIC_URL}/{get_resolver().reverse(route, *arguments)}"
