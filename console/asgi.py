"""The console as an ASGI application: what ``console.wsgi`` holds, in threads of its own.

WSGI loses what a proxy must not lose: the path as it was sent, bytes of headers beyond ASCII,
and the difference between the end of a message and its breaking off. granian tells all of it to
ASGI applications only, so this module stands between them (docs/adr/0030-served-by-asgi.md).
"""

from __future__ import annotations

from django.conf import settings

from console.server.threaded_wsgi import ThreadedWSGI
from console.wsgi import application as wsgi

# This needs loaded applications.
from console.server.body_buffer import receive_body  # isort: skip

application = ThreadedWSGI(wsgi, threads=settings.WEB_THREADS, receive_body=receive_body)
