"""Who waits for a reading does not find out anew that the database is away."""

from __future__ import annotations

import time

import pytest
from django.db import OperationalError

from console.database import in_turn


def test_who_waited_is_told_and_who_comes_later_asks():
    arrived = time.monotonic()
    with pytest.raises(OperationalError), in_turn(arrived):
        raise OperationalError
    with pytest.raises(OperationalError), in_turn(arrived):
        pytest.fail("It was read once more.")
    with in_turn(time.monotonic()):
        pass
