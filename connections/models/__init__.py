"""The rows of a connection: what is asked for, who allowed it, and with which secret."""

from connections.models.authorization import Authorization, Credential
from connections.models.connection import Connection
from connections.models.flow import Flow
from connections.models.installed_connection import InstalledConnection
from connections.models.oauth_client import OAuthClient
from connections.models.released_connection import ReleasedConnection

__all__ = [
    "Authorization",
    "Connection",
    "Credential",
    "Flow",
    "InstalledConnection",
    "OAuthClient",
    "ReleasedConnection",
]
