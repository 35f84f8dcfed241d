from __future__ import annotations

import contextlib
from typing import Any

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.db import DatabaseError
from django.db.models.signals import post_migrate


class ConsoleConfig(AppConfig):
    """The shell that every page stands in, and what runs the deployment."""

    name = "console"

    def ready(self) -> None:
        # Django sends it for applications with models, and this one has none.
        post_migrate.connect(_plant_sentinel, sender=apps.get_app_config("connections"))


class ConsoleAdminConfig(AdminConfig):
    """Django admin on this console's own site."""

    default_site = "console.admin_site.ConsoleAdminSite"


def _plant_sentinel(**kwargs: Any) -> None:
    """Write what vouches for the key ring before the first secret is there to be damaged.

    Tables may be missing where somebody migrates a part alone, and a wrong key ring is no
    matter of migrations: the next process that starts looks again, and says so.
    """
    from connections.sealing import SecretUnreadable  # models import it while apps load
    from connections.sentinel import refuse_wrong_key_ring
    from console.sealed import everything_sealed

    with contextlib.suppress(DatabaseError, SecretUnreadable):
        refuse_wrong_key_ring(everything_sealed())
