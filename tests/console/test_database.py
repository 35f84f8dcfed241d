"""Threads that queue for a read fail at once when another has found the database down."""

from __future__ import annotations

import time

import pytest
from django.db import OperationalError

from console.database import fail_fast_if_down_since


def test_who_waited_is_told_and_who_comes_later_asks():
    arrived = time.monotonic()
    with pytest.raises(OperationalError), fail_fast_if_down_since(arrived):
        raise OperationalError
    with pytest.raises(OperationalError), fail_fast_if_down_since(arrived):
        pytest.fail("It was read once more.")
    with fail_fast_if_down_since(time.monotonic()):
        pass
