"""Send mail; the only module that does (``EMAIL_URL``).

A mail has two plain-text templates, ``<name>_subject.txt`` and ``<name>_message.txt``, in the
folder ``email`` of its room, such as ``inviting/email/invitation_subject.txt``. The message
extends ``email/base_message.txt``. Each recipient gets a message of their own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.template import Context, Engine

logger = logging.getLogger(__name__)


def is_off() -> bool:
    """Tell whether the deployment has no mail server, so that no mail is ever sent."""
    return settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")


def send(template: str, recipients: Iterable[str], context: Mapping[str, Any]) -> None:
    """Send a mail now; raise ``OSError`` if the mail server does not accept it."""
    get_connection().send_messages(_messages(template, recipients, context))


def send_after_commit(
    template: str,
    recipients: Iterable[str],
    context: Mapping[str, Any],
    on_failure: Callable[[], object] | None = None,
) -> None:
    """Send a mail after the transaction is committed, or never if it is rolled back.

    A failure is logged and does not affect the caller; then ``on_failure`` is called. The text is
    rendered now, because rows may change before the commit.
    """
    if messages := _messages(template, recipients, context):
        send_or_log = partial(_send_or_log, template, messages, on_failure)
        transaction.on_commit(send_or_log, robust=True)


def _messages(
    template: str, recipients: Iterable[str], context: Mapping[str, Any]
) -> list[EmailMessage]:
    values = {"host": urlsplit(settings.PUBLIC_URL).netloc, **context}
    # A subject is one header line; a line break in a name must not start another one.
    subject = " ".join(_render(f"{template}_subject.txt", values).split())
    body = _render(f"{template}_message.txt", values).strip() + "\n"
    return [EmailMessage(subject, body, to=[recipient]) for recipient in recipients]


def _render(name: str, values: dict[str, Any]) -> str:
    """Render plain text, in which nothing is escaped."""
    template = Engine.get_default().get_template(name)
    return template.render(Context(values, autoescape=False))


def _send_or_log(
    template: str, messages: list[EmailMessage], on_failure: Callable[[], object] | None
) -> None:
    try:
        get_connection().send_messages(messages)
    except OSError:
        logger.exception("The mail server did not accept the mail %s.", template)
        if on_failure:
            on_failure()
