"""Run a view in one transaction and send its mail after the commit.

Recording an audit event locks the organization's chain until the commit, and a mail server may
take ten seconds: mail that is sent within the transaction would block everybody else.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

View = Callable[..., HttpResponseBase]
Send = Callable[[], None]
_deferred: ContextVar[list[Send] | None] = ContextVar("deferred mail", default=None)


def unit_of_work(view: View) -> View:
    """Wrap a view in a transaction, after which its deferred mail is sent."""

    @wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        deferred: list[Send] = []
        token = _deferred.set(deferred)
        try:
            with transaction.atomic():
                response = view(request, *args, **kwargs)
        finally:
            _deferred.reset(token)
        for send in deferred:
            send()
        return response

    return run


def defer_mail(send: Send) -> bool:
    """Keep a mail until the unit of work is committed; return False outside of one."""
    deferred = _deferred.get()
    if deferred is None:
        return False
    deferred.append(send)
    return True
