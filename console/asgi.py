"""The console's ASGI application: runs the WSGI application in a fixed number of threads.

Under WSGI, granian does not pass on what a proxy needs: the path as it was sent, header bytes
beyond ASCII, and whether a body is complete or broke off. Under ASGI it does
(docs/adr/0030-served-by-asgi.md).
"""

from __future__ import annotations

from django.conf import settings

from console.server.threaded_wsgi import ThreadedWSGI
from console.wsgi import application as wsgi

# This needs loaded applications.
from console.server.body_buffer import receive_body  # isort: skip

application = ThreadedWSGI(wsgi, threads=settings.WEB_THREADS, receive_body=receive_body)
