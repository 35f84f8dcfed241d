"""A token that has ended is renewed once, however many callers there are (promise 1)."""

from __future__ import annotations

from tests.processes.conftest import SPAWN, WHOLE
from tests.processes.storming import storm


def test_every_expiry_costs_one_token_request(world, strict):
    size = {} if WHOLE else {"threads": 5, "authorizations": 10, "expiries": 20}

    came = storm(world.environment, world.ask, strict, SPAWN, **size)

    print(came)
    assert came.requests == came.expiries
    assert (came.reuse, dict(came.failed), came.stale) == (0, {}, 0)
