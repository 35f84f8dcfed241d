"""Send reminders that a license ends soon, and notices that it has ended; each of them once."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from console.accounts.policy import Action
from console.distribution.models import Share, ShareQuerySet
from console.distribution.notifications import mail, members_who_may
from console.public_url import public_url

#: How long before the end the reminder is sent.
NOTICE_PERIOD = timedelta(days=3)


def remind_licenses() -> int:
    """Send the mail that is due and return for how many shares; safe to run at any time."""
    now = timezone.now()
    installed = Share.objects.filter(
        installation__isnull=False, withdrawn_at=None, ends_at__isnull=False
    )
    ended = installed.filter(ends_at__lte=now)
    ending = installed.filter(ends_at__gt=now, ends_at__lte=now + NOTICE_PERIOD)
    return _send_due(ending, "ending_notice_sent_for", "license_ends") + _send_due(
        ended, "ended_notice_sent_for", "license_ended"
    )


def _send_due(shares: ShareQuerySet, field: str, template: str) -> int:
    due = shares.filter(Q(**{field: None}) | ~Q(**{field: F("ends_at")}))
    sent = 0
    for key in list(due.values_list("pk", flat=True)):
        with transaction.atomic():
            rows = due.select_for_update(of=("self",)).select_related(
                "application__organization", "client"
            )
            share = rows.filter(pk=key).first()
            if share is None:  # another process has sent it
                continue
            setattr(share, field, share.ends_at)
            share.save(update_fields=[field])
            people = members_who_may(share.client, Action.MANAGE_INSTALLATIONS)
            url = public_url("installation_detail", share.installation_id)
            mail(template, people, share=share, url=url)
            sent += 1
    return sent
