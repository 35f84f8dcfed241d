"""Run the console in a process of its own, with one database and one population.

The functions run through ``concurrent.futures``. They import Django after the environment is set.
"""

from __future__ import annotations

import os
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.accounts.models import User
    from tests.bench.walk import Landmarks, Visit, Visitor

WARM_UP = 5


class _State:
    """State of this process between two measurements."""

    user: User
    marks: Landmarks
    visitor: Visitor


def prepare(environment: dict[str, str]) -> None:
    """Create the database's tables, and the static files once."""
    os.environ.update(environment)
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    if not Path(environment["STATIC_ROOT"], "staticfiles.json").exists():
        call_command("collectstatic", interactive=False, verbosity=0)


def build(environment: dict[str, str], population: int) -> str:
    """Create tables and rows; return the primary key of the measured user."""
    prepare(environment)
    from django.db import connection

    from tests.bench.rows import fill

    user = fill(population)
    if connection.vendor == "postgresql":  # autovacuum would do this within a minute
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    return str(user.pk)


def start(environment: dict[str, str], user: str) -> None:
    """Start the console as a server does, sign the user in, and warm up."""
    os.environ.update(environment)
    import console.wsgi  # noqa: F401  (as a server does at start)
    from console.accounts.models import User
    from tests.bench.walk import Visitor, landmarks, milliseconds

    _State.user = User.objects.get(pk=user)
    _State.marks = landmarks(_State.user)
    _State.visitor = Visitor(_State.user, milliseconds)
    measure(WARM_UP)
    _State.visitor.measured.clear()


def measure(rounds: int) -> float:
    """Visit every page ``rounds`` times; return the duration of a fixed loop in ms, as noise."""
    from tests.bench.walk import walk

    for _ in range(rounds):
        walk(_State.visitor, _State.marks)
    begin = perf_counter()
    sum(range(1_000_000))
    return (perf_counter() - begin) * 1000


def lengths() -> dict[str, int]:
    """Return the number of characters of each page, without steps that only redirect."""
    return dict(_State.visitor.lengths)


def samples() -> dict[str, list[Visit]]:
    """Return all visits by page."""
    return dict(_State.visitor.measured)


def query_counts() -> dict[str, int]:
    """Visit every page once more and count its queries."""
    from tests.bench.walk import Visitor, queries, walk

    counter = Visitor(_State.user, queries)
    walk(counter, _State.marks)
    return {name: counts[0] for name, counts in counter.measured.items()}


def session_cookie() -> str:
    """Return the session cookie of the measured user."""
    return _State.visitor.client.cookies.output(attrs=[], header="", sep=";").strip()
