"""The database is away just when a service has answered."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from console.database import retry_while_down


def failing(times: int):
    left = times

    def write() -> str:
        nonlocal left
        left -= 1
        if left >= 0:
            raise OperationalError
        return "written"

    return write


@pytest.mark.django_db(transaction=True)
def test_a_write_is_tried_until_the_database_is_back():
    assert retry_while_down(failing(2)) == "written"


@pytest.mark.django_db
def test_within_a_transaction_it_is_not_tried_again():
    with pytest.raises(OperationalError):
        retry_while_down(failing(1))
