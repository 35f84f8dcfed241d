"""Receive the bodies of pages and of the runtime API, before a thread takes the request.

They are complete, in memory or in a temporary file.
"""

from __future__ import annotations

import io
from tempfile import SpooledTemporaryFile
from typing import IO

from console.runtime.asgi_request import Environ, Receive
from console.runtime.concurrency_limits import body_limits
from console.runtime.problem_details import Problem
from console.runtime.request_body import (
    BODY_PROBLEM,
    IN_MEMORY_BYTES,
    MOST_BYTES,
    RequestBody,
    body_permit,
    too_large,
)


async def receive_body(environ: Environ, receive: Receive) -> bool:
    """Put the body into ``wsgi.input``, or the :class:`Problem` with it into ``BODY_PROBLEM``.

    Tell whether it was received.
    """
    environ["wsgi.input"] = io.BytesIO()
    try:
        with body_permit(*body_limits(environ)):
            environ["wsgi.input"] = await _receive(environ, receive)
    except Problem as problem:
        environ[BODY_PROBLEM] = problem
        return False
    return True


async def _receive(environ: Environ, receive: Receive) -> IO[bytes]:
    """Return a complete body, and set ``CONTENT_LENGTH`` to its length."""
    body = RequestBody(receive, environ)
    if (body.length or 0) > MOST_BYTES:
        raise too_large(MOST_BYTES)
    file = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  (closed with the request)
    try:
        while not body.is_over:
            file.write(await body.next())
            if body.received > MOST_BYTES:
                raise too_large(MOST_BYTES)
    except BaseException:
        file.close()
        raise
    if environ.pop("HTTP_TRANSFER_ENCODING", None) or "CONTENT_LENGTH" not in environ:
        environ["CONTENT_LENGTH"] = str(file.tell())
    file.seek(0)
    return file
