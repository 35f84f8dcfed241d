"""Insert lines into the table of the call log, many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import connection

from console.invocations.call_line import CallContext, CallLine
from console.invocations.models import Invocation

#: Without ``connector`` of the context and ``context`` of the line.
_FIELDS = (*CallContext._fields[:-1], *CallLine._fields[1:])
#: Lines in one statement on SQLite, which keeps statements of this length compiled.
_AT_ONCE = 50


def insert(lines: Sequence[CallLine]) -> None:
    """Insert lines without model instances, which took most of the time of a write."""
    with connection.cursor() as cursor, connection.wrap_database_errors:
        if connection.vendor == "postgresql":  # where executemany sends one row at a time
            with cursor.copy(f"COPY {_into()} FROM STDIN") as copy:
                for line in lines:
                    copy.write_row((*line.context[:-1], *line[1:]))
            return
        values = _values_for_sqlite(lines)
        for start in range(0, len(values), _AT_ONCE):
            some = values[start : start + _AT_ONCE]
            # Not executemany, which releases Python's lock for each row, and a busy thread keeps
            # it for five milliseconds. Django's cursor would rewrite each placeholder each time.
            connection.connection.execute(_statement(len(some)), [*chain.from_iterable(some)])


def _values_for_sqlite(lines: Sequence[CallLine]) -> list[tuple[Any, ...]]:
    """Return the values of each line as Django stores them: IDs as digits, times as text."""
    # Calls that nginx has made come many at a time, of few contexts and with the same time.
    context_of = lru_cache(maxsize=100)(_context_values)
    text_of = lru_cache(maxsize=1)(connection.ops.adapt_datetimefield_value)
    return [(*context_of(line.context), *line[1:-1], text_of(line.at)) for line in lines]


def _context_values(context: CallContext) -> tuple[Any, ...]:
    return tuple(value.hex if isinstance(value, UUID) else value for value in context[:-1])


@cache
def _into() -> str:
    quote = connection.ops.quote_name
    column_of = {field.attname: str(field.column) for field in Invocation._meta.concrete_fields}
    columns = ", ".join(quote(column_of[name]) for name in _FIELDS)
    return f"{quote(Invocation._meta.db_table)} ({columns})"


@cache
def _statement(rows: int) -> str:
    slots = f"({', '.join('?' * len(_FIELDS))})"
    return f"INSERT INTO {_into()} VALUES {', '.join([slots] * rows)}"  # noqa: S608
