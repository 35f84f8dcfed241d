from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from console.jobs.graceful_stop import Stopping
from console.jobs.management.commands.background import HOURLY, JOBS


@pytest.mark.django_db(transaction=True)
def test_it_runs_every_job_and_stops_on_sigterm(tmp_path):
    """A failing job does not stop the others; this database has no tables, so all fail."""
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"}
    command = [sys.executable, "manage.py", "background", "--every", "60"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        output = []
        for line in process.stderr:
            output.append(line)
            if f"{HOURLY[-1]} could not be run" in line:
                break
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=20)[1]
    assert process.returncode == 0, rest
    jobs = [*JOBS, *HOURLY]
    assert [job for job in jobs if f"{job} could not be run" in "".join(output)] == jobs


def test_a_nested_command_passes_the_signal_on():
    previous = signal.getsignal(signal.SIGTERM)
    with Stopping() as outer:
        with Stopping() as inner:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)
            assert not inner.goes_on()
        assert not outer.goes_on()
    assert signal.getsignal(signal.SIGTERM) is previous
