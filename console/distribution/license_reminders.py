"""Tell clients that a trial ends soon, and that a license has ended; each of them once."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from console.accounts.policy import Action
from console.distribution.models import Share, ShareQuerySet
from console.distribution.notifications import mail, members_who_may
from console.public_url import public_url

#: How long before the end.
BEFORE = timedelta(days=3)


def remind_licenses() -> int:
    """Send what is due and return how many shares that concerned; safe to run at any time."""
    now = timezone.now()
    installed = Share.objects.filter(
        installation__isnull=False, withdrawn_at=None, ends_at__isnull=False
    )
    ended = installed.filter(ends_at__lte=now)
    ending = installed.filter(ends_at__gt=now, ends_at__lte=now + BEFORE)
    return _tell(ending, "ending_notice_sent_for", "license_ends") + _tell(
        ended, "ended_notice_sent_for", "license_ended"
    )


def _tell(shares: ShareQuerySet, field: str, template: str) -> int:
    untold = shares.filter(Q(**{field: None}) | ~Q(**{field: F("ends_at")}))
    told = 0
    for key in list(untold.values_list("pk", flat=True)):
        with transaction.atomic():
            rows = untold.select_for_update(of=("self",)).select_related(
                "application__organization", "client"
            )
            share = rows.filter(pk=key).first()
            if share is None:  # another process was as fast
                continue
            setattr(share, field, share.ends_at)
            share.save(update_fields=[field])
            people = members_who_may(share.client, Action.MANAGE_INSTALLATIONS)
            url = public_url("installation_detail", share.installation_id)
            mail(template, people, share=share, url=url)
            told += 1
    return told
