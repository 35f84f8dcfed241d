"""An expired token is renewed once for any number of callers (promise 1)."""

from __future__ import annotations

import pytest

from tests.processes.conftest import SPAWN
from tests.processes.refresh_storm import storm

#: If the machine is too slow, the service rotates a token that no caller receives. That is an
#: outage of the service and not the subject of this test.
ATTEMPTS = 3


@pytest.mark.slow("200 expiries, found by 200 threads of 8 processes: the size that is promised.")
def test_every_expiry_makes_one_token_request(world, strict):
    for _ in range(ATTEMPTS):
        came = storm(world.environment, world.ask, strict, SPAWN)
        print(came)
        if not came.unanswered:
            break

    assert came.requests == came.expiries
    assert (came.reuse, dict(came.failed), came.stale) == (0, {}, 0)
