"""A local server that receives webhook messages, verifies them, and can fail on request."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.urls import reverse

from console.webhooks.models import Webhook
from tests.connections.flow_steps import words_of


@dataclass
class Receiver:
    """The received messages, and the response: a status, headers and a delay."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.received]


def verified(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """Verify a message as the Standard Webhooks specification says, written independently."""
    key = base64.b64decode(secret.split("_", 1)[1])
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    signatures = headers["webhook-signature"].split(" ")
    return fresh and any(hmac.compare_digest(f"v1,{wanted}", given) for given in signatures)


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    here = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            here.received.append(
                ({name.lower(): value for name, value in self.headers.items()}, body)
            )
            time.sleep(here.delay)
            self.send_response(here.status)
            for name, value in here.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"localhost:{server.server_port}"
    here.url = f"http://{host}/hooks"
    settings.ALLOWED_PRIVATE_HOSTS = [host]
    yield here
    server.shutdown()
    server.server_close()


@pytest.fixture
def register(developer_client, application, receiver):
    """Register the receiver on the page; return the webhook and the secret that was shown."""

    def press(url: str = "") -> tuple[Webhook, str]:
        page = developer_client.post(
            reverse("webhook_list", args=[application.pk]), {"url": url or receiver.url}
        )
        assert page.status_code == 201, words_of(page)
        return page.context["created"], page.context["secret"]

    return press
