"""`kill -9` while publishing: everything is published or nothing, and the lease expires."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from django.db import connection, connections

from connections.models import ReleasedConnection
from console.publishing import publishing
from console.publishing.environment_state import release_in_stage
from console.publishing.models import Release, Stage
from tests.servers import ROOT

#: Publishes, and kills itself before the n-th statement that it sends.
PUBLISHER = textwrap.dedent("""
    import os, signal, sys
    import django
    django.setup()
    from django.conf import settings
    from django.db import connection
    from console.accounts.models import User
    from console.applications.models import Application
    from console.publishing import publishing

    left = int(sys.argv[1])

    def count_down(execute, *arguments):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*arguments)

    with connection.execute_wrapper(count_down):
        publishing.publish(
            Application.objects.get(), User.objects.get(email="developer@studio.example"),
            ticked=["find_people", "order_parts"],
        )
    print("published")
""")


@pytest.mark.django_db(transaction=True)
def test_it_survives_being_killed_before_any_statement(two, application, developer, publish):
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database['NAME']}"
    else:
        before, _, _ = os.environ["DATABASE_URL"].partition("?")
        query = os.environ["DATABASE_URL"][len(before) :]
        url = f"{before.rsplit('/', 1)[0]}/{database['NAME']}{query}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "console.settings",
    }
    killed = 0
    for statement in range(100):
        done = subprocess.run(
            [sys.executable, "-c", PUBLISHER, str(statement)],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        release = release_in_stage(application)
        assert Release.objects.count() == (1 if release else 0)
        assert ReleasedConnection.objects.count() == (2 if release else 0)
        # Expire the lease now instead of waiting 30 seconds
        Stage.objects.update(lease_until=None)
        if done.returncode == 0:
            break
        killed += 1
        if release:
            break  # killed after the commit: all of it is there
    assert killed > 8
    for other in connections.all():
        other.close()

    assert publishing.publish(
        application, developer, ticked=["find_people", "order_parts"]
    ).release == release_in_stage(application)
    assert Release.objects.count() == 1
    assert release_in_stage(application).manifest.unresolved() == []
