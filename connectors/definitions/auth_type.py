"""Authentication types that connectors support."""

from __future__ import annotations

from enum import StrEnum


class AuthType(StrEnum):
    """How a connection authenticates to its service."""

    OAUTH2 = "oauth2"
    BASIC = "basic"
    API_KEY = "api_key"
