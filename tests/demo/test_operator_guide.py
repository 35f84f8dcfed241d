"""The operator's guide agrees with the settings."""

from __future__ import annotations

import re

from django.conf import settings

GUIDE = settings.BASE_DIR / "docs" / "guides" / "operator.md"


def test_nginx_accepts_request_bodies_as_large_as_the_console_does():
    [megabytes] = re.findall(r"^client_max_body_size (\d+)m;", GUIDE.read_text(), re.MULTILINE)
    assert int(megabytes) * 1024**2 >= settings.PROXY_MAX_REQUEST_BYTES
