"""The floor: a stock Django page, measured in the same run as the console's pages.

Machines differ by a factor of three, so milliseconds say little. Each page of the console is
compared with a page of the same length from a plain Django project, for a signed-in person: the
middleware of ``startproject`` and compression, a session, two queries, one template with a loop.

It runs in a process of its own because this project has its own settings.
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


class _State:
    """State of this process between two measurements."""

    client: Any
    visits: dict[str, list[Visit]]


def start(database_url: str) -> None:
    """Set up the plain project with an empty database and sign a user in."""
    _configure(database_url)
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user("person", "person@example.com")
    _State.client = Client(headers={"host": "localhost", "accept-encoding": "gzip, br"})
    _State.client.force_login(user)
    _State.visits = {}


def measure(lengths: Mapping[str, int], rounds: int) -> None:
    """Request a page of each length ``rounds`` times; keys are the names of console pages."""
    from django.db import close_old_connections

    for _ in range(rounds):
        for name, length in lengths.items():
            url = f"/?rows={max(0, length - FRAME) // ROW}"
            begin, busy = perf_counter(), process_time()
            response = _State.client.get(url)
            close_old_connections()
            visit = ((perf_counter() - begin) * 1000, (process_time() - busy) * 1000)
            if response.status_code != 200:
                raise RuntimeError(f"The floor answered {response.status_code}.")
            _State.visits.setdefault(name, []).append(visit)


def samples() -> dict[str, Sequence[Visit]]:
    """Return all visits by the name of the console's page."""
    return dict(_State.visits)


def page(request: Any) -> Any:
    """Return a table with the requested number of rows, after two queries."""
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
        SECRET_KEY="benchmark " * 6,
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
