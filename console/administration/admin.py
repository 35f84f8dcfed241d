"""Django finds this module; importing the others registers their ``ModelAdmin`` classes."""

from console.administration import (  # noqa: F401
    accounts,
    applications,
    installations,
    invitations,
    oauth_clients,
    people,
    recorded,
    sign_in,
)
