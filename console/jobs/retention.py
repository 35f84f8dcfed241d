"""What is deleted because its time is over. A room that has something to prune adds a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.utils import timezone

from connections.authorizations.suspending import revoke_unused_credentials
from connections.models import Flow
from console.health.notices import forget_told
from console.invocations.old_calls import prune_invocations
from console.people.memberships import revoke_expired_suspensions
from console.transfer.models import UPLOAD_LIFETIME, Upload
from console.webhooks.deliveries import forget_delivered

#: A finished flow is looked at by the page that began it, and by nobody a day later.
FLOW_KEPT_FOR = timedelta(days=1)
#: What a message about an authorization is remembered for: to send it again, or not twice.
TOLD_KEPT_FOR = timedelta(days=30)


def _flows() -> int:
    rows = Flow.objects.filter(expires_at__lt=timezone.now() - FLOW_KEPT_FOR)
    return rows.delete()[1].get("connections.Flow", 0)


def _uploads() -> int:
    rows = Upload.objects.filter(created_at__lt=timezone.now() - UPLOAD_LIFETIME)
    return rows.delete()[1].get("transfer.Upload", 0)


def _told() -> int:
    return forget_told(TOLD_KEPT_FOR) + forget_delivered(TOLD_KEPT_FOR)


def _sessions() -> int:
    session = import_module(settings.SESSION_ENGINE).SessionStore
    ended = session.get_model_class().objects.filter(expire_date__lt=timezone.now())
    count = ended.count()
    session.clear_expired()
    return count


#: What there is of it, in the plural, and how it goes; each returns how much has gone. People
#: come before credentials: what they leave is given back at once, or else by the next step.
STEPS: Mapping[str, Callable[[], int]] = {
    "people whose suspended authorizations were given up": revoke_expired_suspensions,
    "credentials that nothing uses": revoke_unused_credentials,
    "flows that ended more than a day ago": _flows,
    "files that nobody has imported": _uploads,
    "sessions that have ended": _sessions,
    "calls that are older than INVOCATION_DAYS": prune_invocations,
    "notices and messages that are older than 30 days": _told,
}
