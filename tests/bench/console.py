"""A process with the console inside: one database, one population, measured on request.

Everything here runs in a process of its own (``concurrent.futures``); Django is imported
where its environment is set.
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


class _Here:
    """What this process keeps between two requests for measurements."""

    user: User
    marks: Landmarks
    visitor: Visitor


def prepare(environment: dict[str, str]) -> None:
    """Make the database's tables, and the static files once."""
    os.environ.update(environment)
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    if not Path(environment["STATIC_ROOT"], "staticfiles.json").exists():
        call_command("collectstatic", interactive=False, verbosity=0)


def build(environment: dict[str, str], population: int) -> str:
    """Make tables and rows; return the measured person's key."""
    prepare(environment)
    from django.db import connection

    from tests.bench.rows import fill

    user = fill(population)
    if connection.vendor == "postgresql":  # its own daemon would do this within a minute
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    return str(user.pk)


def start(environment: dict[str, str], user: str) -> None:
    """Start the console as a server does, sign the person in, and warm up."""
    os.environ.update(environment)
    import console.wsgi  # noqa: F401  (whatever a server does at its start)
    from console.accounts.models import User
    from tests.bench.walk import Visitor, landmarks, milliseconds

    _Here.user = User.objects.get(pk=user)
    _Here.marks = landmarks(_Here.user)
    _Here.visitor = Visitor(_Here.user, milliseconds)
    measure(WARM_UP)
    _Here.visitor.measured.clear()


def measure(rounds: int) -> float:
    """Walk through every page as often; return how long a fixed loop takes meanwhile (ms)."""
    from tests.bench.walk import walk

    for _ in range(rounds):
        walk(_Here.visitor, _Here.marks)
    begin = perf_counter()
    sum(range(1_000_000))
    return (perf_counter() - begin) * 1000


def lengths() -> dict[str, int]:
    """Return how many characters each page has; steps that only redirect are left out."""
    return dict(_Here.visitor.lengths)


def samples() -> dict[str, list[Visit]]:
    """Return each visit by page."""
    return dict(_Here.visitor.measured)


def query_counts() -> dict[str, int]:
    """Walk once more and count the queries of each page."""
    from tests.bench.walk import Visitor, queries, walk

    counter = Visitor(_Here.user, queries)
    walk(counter, _Here.marks)
    return {name: counts[0] for name, counts in counter.measured.items()}


def session_cookie() -> str:
    """Return the cookie with which the measured person is signed in."""
    return _Here.visitor.client.cookies.output(attrs=[], header="", sep=";").strip()
