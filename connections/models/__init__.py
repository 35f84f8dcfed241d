"""Models of connections, their authorizations and their credentials."""

from connections.models.authorization import Authorization
from connections.models.bulk_run import BulkItem, BulkRun
from connections.models.canceled_flow import CanceledFlow
from connections.models.connection import Connection
from connections.models.credential import Credential
from connections.models.flow import Flow
from connections.models.installed_connection import InstalledConnection
from connections.models.oauth_client import OAuthClient
from connections.models.pending_grant import PendingGrant
from connections.models.released_connection import ReleasedConnection
from connections.models.tag import Tag

__all__ = [
    "Authorization",
    "BulkItem",
    "BulkRun",
    "CanceledFlow",
    "Connection",
    "Credential",
    "Flow",
    "InstalledConnection",
    "OAuthClient",
    "PendingGrant",
    "ReleasedConnection",
    "Tag",
]
