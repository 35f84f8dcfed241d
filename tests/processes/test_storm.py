"""A token that has ended is renewed once, however many callers there are (promise 1)."""

from __future__ import annotations

import pytest

from tests.processes.conftest import SPAWN
from tests.processes.storming import storm


@pytest.mark.slow("200 expiries, found by 200 threads of 8 processes: the size that is promised.")
def test_every_expiry_costs_one_token_request(world, strict):
    came = storm(world.environment, world.ask, strict, SPAWN)

    print(came)
    assert came.requests == came.expiries
    assert (came.reuse, dict(came.failed), came.stale) == (0, {}, 0)
