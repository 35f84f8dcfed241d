"""A console whose processes are killed: it forks one for each order and reports the result.

Run as a program, with the duration of a lease in seconds as its argument. Each line of its input
is an order, and each line of its output is the result::

    {"credential": "…", "check": false, "point": "sent", "after": null}
    {"killed": true, "milliseconds": 31.5}

A process dies at a named point, or after a number of seconds, or else exits normally.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any


def main() -> None:
    """Carry out orders until the input ends."""
    import django

    django.setup()
    from django.db import connection

    import connections.credentials.testing  # noqa: F401 - once here, not in each process
    from connections.credentials import leases
    from connectors.definitions.registry import get_connectors

    leases.LEASE = timedelta(seconds=float(sys.argv[1]))
    connection.settings_dict["OPTIONS"].pop("pool")  # one process, one thread, one connection
    get_connectors()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(_carried_out(json.loads(line))), flush=True)


def _carried_out(order: dict[str, Any]) -> dict[str, Any]:
    began = time.perf_counter()
    process = os.fork()
    if not process:
        _live(order)
    if order.get("after") is not None:
        time.sleep(order["after"])
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    return {
        "killed": os.WIFSIGNALED(status),
        "milliseconds": (time.perf_counter() - began) * 1000,
    }


def _live(order: dict[str, Any]) -> None:
    code = 1
    try:
        if point := order.get("point"):
            POINTS[point]()
        use(order["credential"], check=order.get("check", False))
        code = 0
    except Exception as error:
        print(f"{order}: {error!r}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def use(credential: str, *, check: bool) -> None:
    """Get the access token of a credential, or test the authorization that uses it."""
    from connections.credentials.refreshing import fresh_secret
    from connections.credentials.testing import check_authorization
    from connections.models import Authorization

    authorization = Authorization.objects.select_related("credential__client").get(
        credential=credential
    )
    if check:
        check_authorization(authorization)
    else:
        fresh_secret(authorization.credential)


def die(*_: Any, **__: Any) -> None:
    """Exit immediately, as in a power failure."""
    os.kill(os.getpid(), signal.SIGKILL)


def _before(path: str) -> Callable[[], None]:
    """Die when a function is called: ``module:name`` or ``module:Class.name``."""

    def install() -> None:
        from importlib import import_module

        module, _, name = path.partition(":")
        *owners, name = name.split(".")
        owner: Any = import_module(module)
        for each in owners:
            owner = getattr(owner, each)
        setattr(owner, name, die)

    return install


def _after_update(number: int) -> Callable[[], None]:
    """Die at the n-th update of the credential's row, before its commit."""

    def install() -> None:
        from django.db import connection

        left = number

        def count_down(execute: Any, sql: str, *arguments: Any) -> Any:
            nonlocal left
            result = execute(sql, *arguments)
            if sql.startswith('UPDATE "connections_credential"'):
                left -= 1
                if not left:
                    die()
            return result

        connection.execute_wrappers.append(count_down)

    return install


#: In the order in which a process reaches them.
POINTS: dict[str, Callable[[], None]] = {
    "nothing done": _before("connections.credentials.leases:acquire"),
    "lease written": _after_update(1),
    "lease committed": _before("connectors.oauth2.refresh_request:refresh"),
    "sent": _before("urllib3.connection:HTTPConnection.getresponse"),
    "answered": _before("connections.credentials.leases:journal_response"),
    "journal written": _after_update(2),
    "journalled": _before("connectors.oauth2.token_session:parse_token_response"),
    "parsed": _before("connections.credentials.refreshing:store_tokens"),
    "stored": _after_update(3),
    "committed": _before("connections.credentials.refreshing:_count"),
    "checked": _before("connections.credentials.testing:mark_recovered"),
    "check written": _after_update(4),
}

if __name__ == "__main__":
    main()
