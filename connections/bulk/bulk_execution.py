"""Carry out bulk actions, one connection at a time, in slices that any process can continue.

The page of a bulk action continues it for a moment whenever it asks for the progress. If the page
is closed, or its process is killed, ``manage.py run_bulk_actions`` continues it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from connections.authorizations.connection_deletion import ConnectionInUse, delete_connection
from connections.credentials.testing import check_authorization
from connections.models import Authorization, Connection
from connections.models.authorization_site import AuthorizationSite
from connections.models.bulk_run import BulkAction, BulkItem, BulkRun
from connections.setup.disabling import disable_connection, enable_connection
from connections.setup.tagging import add_tags, remove_tags
from connectors.errors import ServiceError
from console.accounts.authority import NotAllowed
from console.audit.log import NotRecorded
from console.choices import Environment
from console.due_rows import claim

logger = logging.getLogger(__name__)

#: How long one request works on a bulk action.
SLICE_SECONDS = 2.0
#: The claim on a run: longer than one connection takes. A killed process holds it for this long.
CLAIM = timedelta(minutes=2)
GONE = "It no longer exists, or you may no longer change it."


def continue_run(run: BulkRun, goes_on: Callable[[], bool]) -> None:
    """Work on a bulk action while ``goes_on``, unless another process does."""
    if run.action == BulkAction.AUTHORIZE:
        return  # a person does it
    due = BulkRun.objects.filter(pk=run.pk, due_at__lte=timezone.now())
    if not claim(due, "due_at", until=timezone.now() + CLAIM):
        return
    waiting = run.items.filter(state=BulkItem.State.WAITING)
    try:
        while goes_on() and (item := waiting.first()):
            item.state, item.message = _carry_out(run, item)
            item.message = item.message[:500]
            item.save(update_fields=["state", "message"])
            BulkRun.objects.filter(pk=run.pk).update(due_at=timezone.now() + CLAIM)
    finally:
        due_at = timezone.now() if waiting.exists() else None
        BulkRun.objects.filter(pk=run.pk).update(due_at=due_at)
        run.due_at = due_at


def continue_for_a_moment(run: BulkRun) -> None:
    """Work on a bulk action for :data:`SLICE_SECONDS`, at least one connection."""
    until = time.monotonic() + SLICE_SECONDS
    continue_run(run, lambda: time.monotonic() < until)


def continue_due(goes_on: Callable[[], bool]) -> int:
    """Continue all bulk actions that nobody works on; return how many."""
    rows = BulkRun.objects.filter(due_at__lte=timezone.now()).exclude(action=BulkAction.AUTHORIZE)
    runs = list(rows.select_related("user", "organization").order_by("created_at"))
    for run in runs:
        continue_run(run, goes_on)
    return len(runs)


def _carry_out(run: BulkRun, item: BulkItem) -> tuple[str, str]:
    """Do it for one connection, and return the state and a sentence."""
    if item.connection_id is None:
        return BulkItem.State.SKIPPED, GONE
    rows = Connection.objects.visible_to(run.user).created()
    connection = (
        rows.filter(pk=item.connection_id, application__organization=run.organization_id)
        .select_related("application__organization")
        .first()
    )
    if connection is None:
        return BulkItem.State.SKIPPED, GONE
    try:
        return _VERBS[BulkAction(run.action)](run, connection)
    except (NotAllowed, NotRecorded) as error:
        return BulkItem.State.FAILED, str(error)
    except ConnectionInUse as in_use:
        names = ", ".join(component.name for component in in_use.components[:3])
        return BulkItem.State.SKIPPED, f"In use: {names or f'release {in_use.release}'}."
    except Exception:
        logger.exception("A bulk action failed for connection %s.", connection.pk)
        return BulkItem.State.FAILED, "Something went wrong in the console. Nothing was changed."


def _test(run: BulkRun, connection: Connection) -> tuple[str, str]:
    site = AuthorizationSite.of_connection(connection)
    rows = site.authorizations(run.user).filter(credential__isnull=False)
    results = [_check(row) for row in rows.select_related("credential__client")]
    if not results:
        return BulkItem.State.SKIPPED, "It is not authorized."
    works = all(passed for passed, _ in results)
    state = BulkItem.State.DONE if works else BulkItem.State.FAILED
    return state, " ".join(sentence for _, sentence in results)


def _check(authorization: Authorization) -> tuple[bool, str]:
    place = Environment(authorization.environment).label
    try:
        account = check_authorization(authorization)
    except ServiceError as error:
        return False, f"{place}: {error}"
    label = account.label or (authorization.credential.label if authorization.credential else "")
    return True, f"{place}: works as {label}."


def _disable(run: BulkRun, connection: Connection) -> tuple[str, str]:
    return _changed(disable_connection(connection, run.user), "Disabled.")


def _enable(run: BulkRun, connection: Connection) -> tuple[str, str]:
    return _changed(enable_connection(connection, run.user), "Enabled.")


def _tag(run: BulkRun, connection: Connection) -> tuple[str, str]:
    return _changed(add_tags(connection, run.tags, run.user), "Tagged.")


def _untag(run: BulkRun, connection: Connection) -> tuple[str, str]:
    return _changed(remove_tags(connection, run.tags, run.user), "Tags removed.")


def _delete(run: BulkRun, connection: Connection) -> tuple[str, str]:
    sentences = delete_connection(connection, run.user)
    return BulkItem.State.DONE, " ".join(["Deleted.", *sentences])


def _changed(is_changed: bool, sentence: str) -> tuple[str, str]:
    if is_changed:
        return BulkItem.State.DONE, sentence
    return BulkItem.State.SKIPPED, "Nothing to change."


_VERBS: dict[BulkAction, Callable[[BulkRun, Connection], tuple[str, str]]] = {
    BulkAction.TEST: _test,
    BulkAction.DISABLE: _disable,
    BulkAction.ENABLE: _enable,
    BulkAction.TAG: _tag,
    BulkAction.UNTAG: _untag,
    BulkAction.DELETE: _delete,
}
