"""Publish to Stage, and roll back: a new release, and the pointer moved to it, or nothing.

Two things keep publishers apart. The *lease* on the row of Stage says who is publishing, so
that a second person can be told; it is committed before the work and ends by itself, for a
publisher that was killed. The transaction holds the application's row, so that what is
read, checked and written is one state of the application.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from connections.models import Connection, ReleasedConnection
from console.accounts.models import User
from console.accounts.policy import Action
from console.applications import rights
from console.applications.locks import lock_application
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import record
from console.choices import Environment
from console.publishing.manifest import Manifest, digest_of, of_development
from console.publishing.models import LEASE, Release, Stage
from console.publishing.selection import select

#: A second press of the same person waits for the first one instead of being refused.
WAIT_SECONDS = 5.0
POLL_SECONDS = 0.05


class SomebodyPublishes(Exception):
    """Another person is publishing this application just now."""


class PublishConflict(Exception):
    """Development or Stage is not what the person has seen."""


class NothingChosen(Exception):
    """No change was ticked."""


@dataclass(frozen=True, kw_only=True)
class PublishResult:
    """The release that Stage holds now; ``is_new`` tells whether this call made it."""

    release: Release
    is_new: bool


def publish(
    application: Application, user: User, *, ticked: Iterable[str], note: str = "", seen: str = ""
) -> PublishResult:
    """Put the ticked changes, and what they need, into a new release and that into Stage.

    ``seen`` is the :func:`fingerprint` of what the person decided on. Published twice, the
    second time makes nothing new. Raise :class:`SomebodyPublishes`,
    :class:`ChangedMeanwhile`, :class:`NothingChosen` or
    :class:`~console.accounts.authority.NotAllowed`; nothing has changed then.
    """
    wanted = set(ticked)
    if not wanted:
        raise NothingChosen
    with _leased(application, user) as lease, transaction.atomic():
        lock_application(application)
        rights.hold(user, application, Action.PUBLISH)
        current = _current(application)
        before = current.manifest if current else Manifest()
        development = of_development(application)
        selection = select(before, development, wanted)
        if not selection.ticked:
            if current is None:
                raise NothingChosen
            return PublishResult(release=current, is_new=False)
        if seen and seen != fingerprint(before, development):
            raise PublishConflict
        release = Release(
            application=application,
            content=selection.result.text,
            note=note,
            created_by=user,
        )
        return _into_stage(release, selection.result, current, lease)


def roll_back(
    application: Application, user: User, *, to: Release, note: str = ""
) -> PublishResult:
    """Put the content of an earlier release into a new one, and that into Stage.

    Raise :class:`SomebodyPublishes` or :class:`~console.accounts.authority.NotAllowed`.
    """
    with _leased(application, user) as lease, transaction.atomic():
        lock_application(application)
        rights.hold(user, application, Action.PUBLISH)
        current = _current(application)
        if current and current.digest == to.digest:
            return PublishResult(release=current, is_new=False)
        release = Release(
            application=application,
            content=to.content,
            note=note,
            rolled_back_to=to.number,
            created_by=user,
        )
        return _into_stage(release, to.manifest, current, lease)


def fingerprint(stage: Manifest, development: Manifest) -> str:
    """Return what tells two views of an application apart: Stage and Development as they were."""
    return digest_of(f"{stage.text}\n{development.text}")


def _into_stage(
    release: Release, manifest: Manifest, current: Release | None, lease: str
) -> PublishResult:
    release.number = current.number + 1 if current else 1
    release.save()
    moved = Stage.objects.filter(application=release.application, lease=lease).update(
        release=release, lease="", lease_until=None
    )
    if not moved:  # this process slept longer than its lease, and somebody else has begun
        raise SomebodyPublishes("Another person has begun to publish meanwhile.")
    connections = Connection.objects.created().filter(application=release.application)
    keys = dict(connections.values_list("link_name", "pk"))
    ReleasedConnection.objects.filter(
        connection__application=release.application, environment=Environment.STAGE
    ).delete()
    ReleasedConnection.objects.bulk_create(
        [
            ReleasedConnection(
                connection_id=keys[name],
                environment=Environment.STAGE,
                number=release.number,
                document=snapshot.as_document(),
            )
            for name, snapshot in manifest.connections.items()
        ]
    )
    connections.filter(first_released=None, link_name__in=manifest.connections).update(
        first_released=release.number
    )
    record(
        AuditAction.RELEASE_ROLLED_BACK
        if release.rolled_back_to
        else AuditAction.RELEASE_PUBLISHED,
        release.application.organization_id,
        release.created_by,
        release,
        application=release.application.name,
        rolled_back_to=release.rolled_back_to,
        components=len(manifest.components),
        connections=list(manifest.connections),
        digest=release.digest,
    )
    return PublishResult(release=release, is_new=True)


def _current(application: Application) -> Release | None:
    """Return the newest release, which is the one in Stage: every move of it inserts one."""
    return Release.objects.filter(application=application).order_by("-number").first()


@contextmanager
def _leased(application: Application, user: User) -> Iterator[str]:
    """Say that this person is publishing, and stop saying so at the end, however it ends."""
    lease = secrets.token_hex(16)
    give_up = time.monotonic() + WAIT_SECONDS
    while not _take(application, user, lease):
        holder = Stage.objects.select_related("publisher").get(application=application)
        if holder.publisher_id != user.pk or time.monotonic() > give_up:
            who = holder.publisher or "Somebody"
            raise SomebodyPublishes(f"{who} is publishing {application} just now.")
        time.sleep(POLL_SECONDS)
    try:
        yield lease
    finally:
        Stage.objects.filter(application=application, lease=lease).update(
            lease="", lease_until=None
        )


def _take(application: Application, user: User, lease: str) -> bool:
    now = timezone.now()
    Stage.objects.get_or_create(application=application)
    free = Q(lease="") | Q(lease_until=None) | Q(lease_until__lt=now)
    return bool(
        Stage.objects.filter(free, application=application).update(
            publisher=user, lease=lease, leased_at=now, lease_until=now + LEASE
        )
    )
