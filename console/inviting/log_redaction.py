"""Redact the tokens of invitations in logs: anyone who reads one could accept the invitation."""

from __future__ import annotations

import logging
import re

_TOKEN = re.compile(r"(/invitations/)[^/?\s\"']+")


class InvitationTokenFilter(logging.Filter):
    """A logging filter that keeps every record and replaces tokens in invitation URLs."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "/invitations/" in message:
            record.msg, record.args = _TOKEN.sub(r"\1…", message), ()
        return True
