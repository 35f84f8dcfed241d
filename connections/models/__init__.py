"""The rows of a connection: what is asked for, who allowed it, and with which secret."""

from connections.models.authorization import Authorization, Credential
from connections.models.connection import Connection, Environment
from connections.models.flow import Flow
from connections.models.oauth_client import OAuthClient

__all__ = ["Authorization", "Connection", "Credential", "Environment", "Flow", "OAuthClient"]
