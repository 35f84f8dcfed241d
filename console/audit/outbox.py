"""Process recorded events later and exactly once (transactional outbox).

An event is written in the transaction of its change, and the numbers of a chain have no
gaps that fill up later. A reader saves its position in the same transaction as the rows that
it writes, so it misses no event and handles none twice, even if it is killed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from console.audit.actions import AuditAction
from console.audit.models import DEPLOYMENT, Bookmark, Chain, Event

BATCH = 200

Handle = Callable[[Sequence[Event]], None]


def follow(reader: str, acts: Collection[AuditAction], handle: Handle) -> None:
    """Give ``handle`` the events of these acts that ``reader`` has not had, oldest first.

    It gets those of one organization at a time, and may write rows: its transaction holds
    the bookmark, too. It must not ask a service for anything.
    """
    read = Bookmark.objects.filter(reader=reader, chain=OuterRef("pk")).values("number")
    behind = (
        Chain.objects.exclude(pk=DEPLOYMENT)
        .alias(read=Coalesce(Subquery(read), 0))
        .filter(number__gt=F("read"))
        .order_by("pk")
    )
    for chain in behind:
        while _turn_pages(reader, chain, acts, handle):
            pass


def _turn_pages(reader: str, chain: Chain, acts: Collection[AuditAction], handle: Handle) -> bool:
    """Take a batch, and tell whether there may be more."""
    Bookmark.objects.get_or_create(reader=reader, chain=chain)
    with transaction.atomic():
        bookmark = Bookmark.objects.select_for_update().get(reader=reader, chain=chain)
        events = list(
            Event.objects.filter(organization=chain.pk, number__gt=bookmark.number).order_by(
                "number"
            )[:BATCH]
        )
        if not events:
            return False
        if wanted := [event for event in events if event.act in acts]:
            handle(wanted)
        bookmark.number = events[-1].number
        bookmark.save(update_fields=["number"])
    return len(events) == BATCH
