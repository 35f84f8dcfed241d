"""Measure publishing, exporting and importing a small and a large application.

Runs in a process of its own, as ``console.py`` does, and imports Django after the environment is
set.
"""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import SpawnContext
from time import perf_counter
from typing import TYPE_CHECKING

from tests.bench import floor
from tests.bench.figures import GROWTH, QUERIES, Figure

if TYPE_CHECKING:
    from console.accounts.models import User
    from console.applications.models import Application

SMALL, LARGE = 10, 1_000
#: Statements that write many rows at once; they are allowed in addition to the queries.
BULK = 3
#: A small application is too fast to be timed only once.
ROUNDS: Mapping[int, int] = {SMALL: 15, LARGE: 3}
FLOOR_ROUNDS = 15
#: A page of the large application may take so many milliseconds, and so many times the floor.
PAGE_MS, LARGE_FLOORS = 300, 5

Step = Callable[[], object]


def measured(
    database: str, variables: dict[str, str], floor_url: str, context: SpawnContext
) -> Iterator[Figure]:
    """Compare the time for each component of the large application with the small one's.

    The pages of the large application are also compared with the floor.
    """
    with ProcessPoolExecutor(1, context) as process:
        sizes = process.submit(measure, variables).result()
    pages = {
        step: int(large["length"]) for step, large in sizes[LARGE].items() if "length" in large
    }
    with ProcessPoolExecutor(1, context, floor.start, (floor_url,)) as plain:
        plain.submit(floor.measure, pages, FLOOR_ROUNDS).result()
        floors = plain.submit(floor.samples).result()
    for step in sizes[SMALL]:
        small, large = sizes[SMALL][step], sizes[LARGE][step]
        whole = f"{database}: {step}, {LARGE:,} components"
        aim = PAGE_MS if step in pages else None
        yield Figure(name=whole, value=large["ms"], unit="ms", aim=aim)
        if step in pages:
            stock = statistics.median(clock for clock, _ in floors[step])
            yield Figure(
                name=f"{whole}: page : floor",
                value=large["ms"] / stock,
                unit="ratio",
                aim=LARGE_FLOORS,
            )
            yield Figure(name=f"{whole}: length", value=large["length"] / 1000, unit="kB")
        yield Figure(
            name=f"{database}: {step}, time for each component, {LARGE:,} : {SMALL}",
            value=(large["ms"] / LARGE) / (small["ms"] / SMALL),
            unit="ratio",
            aim=GROWTH,
        )
        yield Figure(name=f"{whole}: queries", value=large["queries"], unit="", aim=QUERIES + BULK)
        yield Figure(
            name=f"{database}: {step}, {LARGE:,} : {SMALL} components: more queries",
            value=large["queries"] - small["queries"],
            unit="",
            aim=0,
        )


def measure(environment: dict[str, str]) -> dict[int, dict[str, dict[str, float]]]:
    """Return milliseconds (median) and queries of each step, for both sizes."""
    os.environ.update(environment)
    import django

    django.setup()
    return {size: dict(_steps(size)) for size in (SMALL, LARGE)}


def _steps(size: int) -> Iterator[tuple[str, dict[str, float]]]:
    from django.db.models import Value
    from django.db.models.functions import Concat
    from django.test import Client
    from django.urls import reverse

    from console.publishing import publishing
    from console.transfer import exporting, importing

    application, user = _application(size)
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    names = list(application.components.values_list("link_name", flat=True))
    text = exporting.export(application)

    def page() -> int:
        answer = client.get(reverse("publish", args=[application.pk]))
        assert answer.status_code == 200
        return len(answer.content)

    def preview() -> int:
        answer = client.post(reverse("publish_preview", args=[application.pk]), {"choose": "all"})
        assert answer.status_code == 200
        return len(answer.content)

    def publish() -> None:
        # Change every component, because the second round would find nothing to publish.
        outcome = publishing.publish(application, user, ticked=names)
        assert outcome.is_new

    def touch() -> None:
        application.components.update(
            definition=Concat("definition", Value(" ")), name=Concat("name", Value("x"))
        )

    def bring_in() -> None:
        importing.import_application(text, application.organization, user)

    yield "publish page", _measured(page, size)
    yield "publish preview", _measured(preview, size)
    yield "publish", _measured(publish, size, before=touch)
    yield "export", _measured(lambda: exporting.export(application), size)
    yield "import", _measured(bring_in, size)


def _measured(step: Step, size: int, before: Step = lambda: None) -> dict[str, float]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    before()
    length = step()  # warm
    times = []
    for _ in range(ROUNDS[size]):
        before()
        begin = perf_counter()
        step()
        times.append((perf_counter() - begin) * 1000)
    before()
    with CaptureQueriesContext(connection) as captured:
        step()
    found = {"ms": statistics.median(times), "queries": float(_count(captured.captured_queries))}
    return found | ({"length": float(length)} if isinstance(length, int) else {})


def _count(queries: list[dict[str, str]]) -> int:
    """Count queries; several batches of one bulk statement on SQLite count as one."""
    kept = [q["sql"] for q in queries if not q["sql"].startswith(_SILENT)]
    bulk = {sql.partition(" VALUES ")[0] for sql in kept if sql.startswith("INSERT")}
    return len(bulk) + sum(not sql.startswith("INSERT") for sql in kept)


_SILENT = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE SAVEPOINT", "PRAGMA")


def _application(size: int) -> tuple[Application, User]:
    from connections.models import Connection
    from connections.models.snapshot import ConnectionSnapshot
    from console.accounts.models import Membership, Organization, User
    from console.choices import Role
    from console.publishing.manifest import ComponentSnapshot, Manifest
    from console.transfer import importing

    organization = Organization.objects.create(name=f"Builders {size}", slug=f"builders-{size}")
    user = User.objects.create_user(f"builder-{size}@studio.example")
    Membership.objects.create(user=user, organization=organization, role=Role.SUPER_ADMIN)
    connections = {
        f"connection_{number}": ConnectionSnapshot(
            name=f"Connection {number}",
            link_name=f"connection_{number}",
            connector="sandbox",
            auth_type="oauth2",
            level="administrator",
            scopes=("contacts.read", "orders.read"),
        )
        for number in range(max(size // 10, 1))
    }
    components = {
        f"function_{number}": ComponentSnapshot(
            kind="function",
            name=f"Function {number}",
            link_name=f"function_{number}",
            definition={
                "description": "Find the contacts of a company, and the newest order of each.",
                "input": [{"name": "company", "type": "text", "required": True}],
                "calls": [
                    {
                        "connection": f"connection_{(number + n) % len(connections)}",
                        "path": "/contacts",
                        "query": {"q": "{{ input.company }}", "limit": 20},
                    }
                    for n in range(2)
                ],
            },
        )
        for number in range(size)
    }
    manifest = Manifest(
        name="Measured", link_name="measured", components=components, connections=connections
    )
    application = importing.import_application(manifest, organization, user)
    assert Connection.objects.filter(application=application).count() == len(connections)
    assert len(json.loads(manifest.text)["components"]) == size
    return application, user
