"""A view whose changes and events are kept together; its mail goes out after the commit.

A mail server may take ten seconds, and whoever records an event holds the head of its chain
until the commit.
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
_held: ContextVar[list[Send] | None] = ContextVar("mail that waits for the commit", default=None)


def unit_of_work(view: View) -> View:
    """Do what a view does in one transaction, then send the mail that it wrote."""

    @wraps(view)
    def do(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        mail: list[Send] = []
        token = _held.set(mail)
        try:
            with transaction.atomic():
                response = view(request, *args, **kwargs)
        finally:
            _held.reset(token)
        for send in mail:
            send()
        return response

    return do


def mail_is_held(send: Send) -> bool:
    """Keep a mail for after the commit, where one waits for it."""
    mail = _held.get()
    if mail is None:
        return False
    mail.append(send)
    return True
