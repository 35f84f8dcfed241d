"""Recognize a demo database of an earlier version, which has to be removed."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from console.demo.environment import demo_folder


def refuse_earlier_database() -> None:
    """Raise ``RuntimeError`` if migrations were applied that this version does not have.

    Until 0.1.0 is released, migrations are made again instead of added, and a database of an
    earlier version cannot be migrated.
    """
    loader = MigrationLoader(connection, ignore_no_migrations=True)
    unknown = [
        name
        for app, name in loader.applied_migrations
        if app in loader.migrated_apps and (app, name) not in loader.disk_migrations
    ]
    if unknown:
        raise RuntimeError(
            "The database of this demo was made by an earlier version, which cannot be updated. "
            f"Remove {demo_folder()} and start again."
        )
