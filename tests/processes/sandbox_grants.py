"""Create grants in the sandbox without its pages: hundreds in a second."""

from __future__ import annotations

import json
from typing import NamedTuple

from tests.servers import SandboxServer

CLIENT_ID = "developer-console"
CLIENT_SECRET = "console-secret-0123456789"  # only for these tests
_SCRIPT = """
import json, secrets, uuid
from datetime import timedelta
from django.db import transaction
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, RefreshToken, set_token_value
from sandbox.models import Person

common = {{
    "user": Person.objects.get(username="alice"),
    "application": Application.objects.get(client_id="{client}"),
}}
given = []
with transaction.atomic():
    for _ in range({number}):
        texts = secrets.token_hex(16), secrets.token_hex(16)
        access = AccessToken(
            **common, scope="profile.read", expires=timezone.now() + timedelta(hours=1)
        )
        set_token_value(access, texts[0])
        access.save()
        refresh = RefreshToken(**common, access_token=access, token_family=uuid.uuid4())
        set_token_value(refresh, texts[1])
        refresh.save()
        given.append(texts)
print(json.dumps(given))
"""


class Grant(NamedTuple):
    """An access token that is valid for an hour, and a refresh token."""

    access_token: str
    refresh_token: str


def grants(sandbox: SandboxServer, number: int) -> list[Grant]:
    """Create a number of grants for alice's account."""
    script = _SCRIPT.format(client=CLIENT_ID, number=number)
    done = sandbox.run("shell", "--no-imports", "-c", script)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return [Grant(*each) for each in json.loads(done.stdout)]


def register(sandbox: SandboxServer) -> None:
    """Register the console as a client of the sandbox."""
    sandbox.register(CLIENT_ID, "http://console.test/callback", secret=CLIENT_SECRET)
