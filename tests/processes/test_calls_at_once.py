"""200 concurrent calls in 8 processes on one connection with an expired access token."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.bench.load import granian
from tests.processes import rows
from tests.processes.sandbox_grants import grants

CALLS, PROCESSES = 200, 8


@pytest.mark.slow("Eight server processes start, and share the cores with their callers.")
def test_they_make_one_token_request(world, strict, tmp_path):
    [credential] = world.ask(rows.connect, grants(strict, 1), "together")
    strict.reset()
    with granian("console.asgi:application", world.environment, tmp_path, 64, PROCESSES) as (
        url,
        _,
    ):
        address = f"{url}/api/v1/connections/together_0/proxy/me"

        def call(_: int) -> tuple[int, str]:
            answer = requests.get(
                address, headers={"Authorization": f"Bearer {world.key}"}, timeout=60
            )
            return answer.status_code, answer.text

        with ThreadPoolExecutor(CALLS) as threads:
            answers = list(threads.map(call, range(CALLS)))

    assert {status for status, _ in answers} == {200}, set(answers)
    assert all('"user_name": "alice"' in text for _, text in answers)
    counts = strict.counts()
    assert (counts["token"], counts["reuse"]) == (1, 0)
    assert counts["api"] == CALLS
    assert world.ask(rows.snapshot, [credential])[credential].version == 2
