"""Keep the addresses of invitations out of the log: whoever reads one could accept it."""

from __future__ import annotations

import logging
import re

_TOKEN = re.compile(r"(/invitations/)[^/?\s\"']+")


class MaskInvitations(logging.Filter):
    """Let every line through, without the token of an invitation."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if "/invitations/" in said:
            record.msg, record.args = _TOKEN.sub(r"\1…", said), ()
        return True
