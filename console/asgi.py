"""The console's ASGI application.

Proxied calls run on the event loop; pages and the rest of the runtime API run in a fixed number
of threads, as the WSGI application.
"""

from __future__ import annotations

import resource

from django.conf import settings

from console.server.threaded_wsgi import ThreadedWSGI
from console.wsgi import application as wsgi

# These need loaded applications.
from console.runtime.proxy_app import ProxyApplication  # isort: skip
from console.server.body_buffer import receive_body  # isort: skip


def _raise_open_files_limit() -> None:
    """Allow as many open files as the system does: each waiting call has two sockets."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


_raise_open_files_limit()
application = ProxyApplication(
    ThreadedWSGI(wsgi, threads=settings.WEB_THREADS, receive_body=receive_body)
)
