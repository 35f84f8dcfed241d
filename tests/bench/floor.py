"""The floor: a stock Django page, measured in the same run as the console's pages.

Machines differ threefold, so milliseconds say little. A page of the console is compared with a page
of the same length that a plain Django project gives a signed-in person: the middleware of
``startproject`` and compression, a session, two queries of its own, one template with a loop.

Everything here runs in a process of its own, as this project has settings of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

Visit = tuple[float, float]

#: Characters of one row of ``templates/floor.html``, and of everything around the rows.
ROW, FRAME = 120, 450


class _Here:
    """What this process keeps between two requests for measurements."""

    client: Any
    visits: dict[str, list[Visit]]


def start(database_url: str) -> None:
    """Set up the plain project on an empty database and sign somebody in."""
    _configure(database_url)
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user("person", "person@example.com")
    _Here.client = Client(headers={"host": "localhost", "accept-encoding": "gzip, br"})
    _Here.client.force_login(user)
    _Here.visits = {}


def measure(lengths: Mapping[str, int], rounds: int) -> None:
    """Ask for a page of each length as often; the keys are the names of the console's pages."""
    from django.db import close_old_connections

    for _ in range(rounds):
        for name, length in lengths.items():
            url = f"/?rows={max(0, length - FRAME) // ROW}"
            begin, busy = perf_counter(), process_time()
            response = _Here.client.get(url)
            close_old_connections()
            visit = ((perf_counter() - begin) * 1000, (process_time() - busy) * 1000)
            if response.status_code != 200:
                raise RuntimeError(f"The floor answered {response.status_code}.")
            _Here.visits.setdefault(name, []).append(visit)


def samples() -> dict[str, Sequence[Visit]]:
    """Return each visit, by the name of the page that it is compared with."""
    return dict(_Here.visits)


def page(request: Any) -> Any:
    """Answer with a table of so many rows, after two queries."""
    from django.contrib.auth import get_user_model
    from django.shortcuts import render

    people = get_user_model().objects
    names = [person.get_username() for person in people.order_by("-date_joined")[:20]]
    now = datetime.now(UTC)
    rows = [
        {"name": f"{names[0]} {number}", "state": "active", "at": now}
        for number in range(int(request.GET["rows"]))
    ]
    return render(request, "floor.html", {"count": people.count(), "rows": rows})


def _configure(database_url: str) -> None:
    import django
    import environ
    from django.conf import settings
    from django.urls import path

    database: dict[str, Any] = dict(environ.Env.db_url_config(database_url))
    if database["ENGINE"].endswith("sqlite3"):
        database["CONN_MAX_AGE"] = 60
    else:
        database["OPTIONS"] = {"pool": True}
    contrib = ("auth", "contenttypes", "sessions", "messages", "staticfiles")
    settings.configure(
        SECRET_KEY="of the floor " * 5,
        ALLOWED_HOSTS=["localhost"],
        DATABASES={"default": database},
        INSTALLED_APPS=[f"django.contrib.{name}" for name in contrib],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.gzip.GZipMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        ROOT_URLCONF=(path("", page, name="floor"),),
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [Path(__file__).with_name("templates")],
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        STATIC_URL="/static/",
        USE_TZ=True,
    )
    django.setup()
