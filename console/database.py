"""The database connection of a thread, where no request of Django's looks after it."""

from __future__ import annotations

from django.db import connections


def give_back() -> None:
    """Do as Django does after a request: close what is broken, too old, or goes to the pool.

    Within a transaction nothing happens: it is its caller's.
    """
    for each in connections.all(initialized_only=True):
        if not each.in_atomic_block:
            each.close_if_unusable_or_obsolete()
