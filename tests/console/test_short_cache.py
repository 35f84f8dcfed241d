from __future__ import annotations

import time

import pytest

from console.short_cache import ShortCache

pytestmark = pytest.mark.django_db


def test_it_reads_once_while_it_knows():
    lately, read = ShortCache(seconds=0.2), []
    for _ in range(5):
        assert lately.get("a", lambda: read.append(1) or len(read)) == 1
    time.sleep(0.21)
    assert lately.get("a", lambda: read.append(1) or len(read)) == 2


def test_it_counts_from_the_beginning_of_the_reading():
    lately, read = ShortCache(seconds=0.1), []

    def slow() -> int:
        read.append(1)
        time.sleep(0.11)
        return len(read)

    assert lately.get("a", slow) == 1
    assert lately.get("a", slow) == 2


def test_of_many_threads_one_reads(at_once):
    lately, read = ShortCache(seconds=5), []

    def slow() -> int:
        read.append(1)
        time.sleep(0.05)
        return len(read)

    assert at_once(8, lambda: lately.get("a", slow)) == [1] * 8


def test_a_failure_leaves_nothing_behind():
    lately = ShortCache(seconds=0)
    lately.get("a", lambda: 1)
    assert lately.peek("a")
    with pytest.raises(ZeroDivisionError):
        lately.get("a", lambda: 1 // 0)
    assert not lately.peek("a")


def test_it_never_grows_beyond_its_size():
    lately = ShortCache(seconds=5, max_size=10)
    for number in range(100):
        lately.get(str(number), lambda: 1)
    assert len(lately._entries) <= 10
    assert lately.peek("99")
