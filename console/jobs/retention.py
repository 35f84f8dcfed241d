"""Delete expired rows. Each package that has rows to delete adds a step to ``STEPS``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.utils import timezone

from connections.authorizations.replacing import drop_expired
from connections.authorizations.suspending import revoke_unused_credentials
from connections.models import BulkRun, CanceledFlow, Flow
from console.health.notices import delete_old_notices
from console.invocations.old_calls import prune_invocations
from console.people.memberships import revoke_expired_suspensions
from console.transfer.models import UPLOAD_LIFETIME, Upload
from console.webhooks.deliveries import delete_old_deliveries

#: Only the page that started a flow reads it, shortly after it has finished.
FLOW_KEPT_FOR = timedelta(days=1)
#: Notices and webhook messages are kept so that they can be resent, and are not sent twice.
MESSAGES_KEPT_FOR = timedelta(days=30)

#: The page of a bulk action shows its results for this long.
BULK_RUNS_KEPT_FOR = timedelta(days=30)


def _delete_flows() -> int:
    rows = Flow.objects.filter(expires_at__lt=timezone.now() - FLOW_KEPT_FOR)
    return rows.delete()[1].get("connections.Flow", 0)


def _delete_canceled_flows() -> int:
    rows = CanceledFlow.objects.filter(created_at__lt=timezone.now() - FLOW_KEPT_FOR)
    return rows.delete()[0]


def _delete_uploads() -> int:
    rows = Upload.objects.filter(created_at__lt=timezone.now() - UPLOAD_LIFETIME)
    return rows.delete()[1].get("transfer.Upload", 0)


def _delete_bulk_runs() -> int:
    rows = BulkRun.objects.filter(created_at__lt=timezone.now() - BULK_RUNS_KEPT_FOR)
    return rows.delete()[1].get("connections.BulkRun", 0)


def _delete_messages() -> int:
    return delete_old_notices(MESSAGES_KEPT_FOR) + delete_old_deliveries(MESSAGES_KEPT_FOR)


def _delete_sessions() -> int:
    session = import_module(settings.SESSION_ENGINE).SessionStore
    ended = session.get_model_class().objects.filter(expire_date__lt=timezone.now())
    count = ended.count()
    session.clear_expired()
    return count


#: A plural that names the rows, and the function that deletes them and returns their number.
#: People come before credentials: credentials that the first step could not revoke at the
#: service are revoked by the next one.
STEPS: Mapping[str, Callable[[], int]] = {
    "people whose suspended authorizations were revoked": revoke_expired_suspensions,
    "unused credentials": revoke_unused_credentials,
    "grants for another account that nobody confirmed": drop_expired,
    "flows that ended more than a day ago": _delete_flows,
    "cancellations of flows older than a day": _delete_canceled_flows,
    "bulk actions older than 30 days": _delete_bulk_runs,
    "uploads that were never imported": _delete_uploads,
    "expired sessions": _delete_sessions,
    "calls older than INVOCATION_DAYS": prune_invocations,
    "notices and messages older than 30 days": _delete_messages,
}
