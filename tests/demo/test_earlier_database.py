"""A demo database of an earlier version is refused with one clear sentence."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from console.demo.earlier_database import refuse_earlier_database


def test_it_accepts_a_database_of_this_version(db):
    refuse_earlier_database()


def test_it_refuses_one_with_migrations_that_no_longer_exist(db):
    MigrationRecorder(connection).record_applied("connections", "0011_connection_answered")
    with pytest.raises(RuntimeError, match=r"made by an earlier version.* Remove /.* start again"):
        refuse_earlier_database()
