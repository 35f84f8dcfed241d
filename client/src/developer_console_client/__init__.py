"""Call services through the connections of a Developer Console, without their secrets.

>>> console = Console("https://console.example", key)
>>> console.connection("zoho_crm").get("/crm/v6/Leads").json()
"""

from developer_console_client.console import Console
from developer_console_client.problems import (
    AuthorizationRequired,
    ConsoleProblem,
    KeyRefused,
    LicenseEnded,
    NotThere,
    RunStopped,
    ServiceUnavailable,
    UserTokenRefused,
)
from developer_console_client.sessions import ConnectionSession

__all__ = [
    "AuthorizationRequired",
    "ConnectionSession",
    "Console",
    "ConsoleProblem",
    "KeyRefused",
    "LicenseEnded",
    "NotThere",
    "RunStopped",
    "ServiceUnavailable",
    "UserTokenRefused",
]
