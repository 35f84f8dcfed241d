"""Publish to Stage and roll back: insert a new release and move Stage to it, or change nothing.

Two locks prevent conflicts. The *lease* on the Stage row records who is publishing, so that a
second person sees their name. It is committed before the work starts and expires, so that a
killed process does not block others. The transaction locks the application's row, so that
everything read, checked and written belongs to one state of the application.
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
from console.publishing.manifest import Manifest, development_manifest, digest_of
from console.publishing.models import LEASE, Release, Stage
from console.publishing.selection import select

#: If the same person presses twice, the second request waits for the first for this long.
WAIT_SECONDS = 5.0
POLL_SECONDS = 0.05


class PublishInProgress(Exception):
    """Another person is publishing this application now."""


class PublishConflict(Exception):
    """Development or Stage has changed since the person opened the page."""


class NothingSelected(Exception):
    """No change was ticked."""


@dataclass(frozen=True, kw_only=True)
class PublishResult:
    """The release that is in Stage now; ``is_new`` tells whether this call created it."""

    release: Release
    is_new: bool


def publish(
    application: Application, user: User, *, ticked: Iterable[str], note: str = "", seen: str = ""
) -> PublishResult:
    """Publish the ticked changes and their dependencies: create a release and move Stage to it.

    ``seen`` is the :func:`fingerprint` of the state that the person saw. Publishing the same
    changes again creates no new release. Raise :class:`PublishInProgress`,
    :class:`PublishConflict`, :class:`NothingSelected` or
    :class:`~console.accounts.authority.NotAllowed`; nothing has changed then.
    """
    wanted = set(ticked)
    if not wanted:
        raise NothingSelected
    with _publish_lease(application, user) as lease, transaction.atomic():
        lock_application(application)
        rights.hold(user, application, Action.PUBLISH)
        current = _latest_release(application)
        before = current.manifest if current else Manifest()
        development = development_manifest(application)
        selection = select(before, development, wanted)
        if not selection.ticked:
            if current is None:
                raise NothingSelected
            return PublishResult(release=current, is_new=False)
        if seen and seen != fingerprint(before, development):
            raise PublishConflict
        release = Release(
            application=application,
            content=selection.result.text,
            note=note,
            created_by=user,
        )
        return _move_stage(release, selection.result, current, lease)


def roll_back(
    application: Application, user: User, *, to: Release, note: str = ""
) -> PublishResult:
    """Create a release with the content of an earlier one and move Stage to it.

    Raise :class:`PublishInProgress` or :class:`~console.accounts.authority.NotAllowed`.
    """
    with _publish_lease(application, user) as lease, transaction.atomic():
        lock_application(application)
        rights.hold(user, application, Action.PUBLISH)
        current = _latest_release(application)
        if current and current.digest == to.digest:
            return PublishResult(release=current, is_new=False)
        release = Release(
            application=application,
            content=to.content,
            note=note,
            rolled_back_to=to.number,
            created_by=user,
        )
        return _move_stage(release, to.manifest, current, lease)


def fingerprint(stage: Manifest, development: Manifest) -> str:
    """Return a hash of Stage and Development, to notice that either has changed."""
    return digest_of(f"{stage.text}\n{development.text}")


def _move_stage(
    release: Release, manifest: Manifest, current: Release | None, lease: str
) -> PublishResult:
    release.number = current.number + 1 if current else 1
    release.save()
    moved = Stage.objects.filter(application=release.application, lease=lease).update(
        release=release, lease="", lease_until=None
    )
    if not moved:  # this process was suspended until its lease expired, and another one took over
        raise PublishInProgress("Another person has started to publish in the meantime.")
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


def _latest_release(application: Application) -> Release | None:
    """Return the newest release, which is always the one in Stage."""
    return Release.objects.filter(application=application).order_by("-number").first()


@contextmanager
def _publish_lease(application: Application, user: User) -> Iterator[str]:
    """Hold the lease of Stage for this person; release it at the end, even after an error."""
    lease = secrets.token_hex(16)
    deadline = time.monotonic() + WAIT_SECONDS
    while not _acquire(application, user, lease):
        holder = Stage.objects.select_related("publisher").get(application=application)
        if holder.publisher_id != user.pk or time.monotonic() > deadline:
            publisher = holder.publisher or "Another person"
            raise PublishInProgress(f"{publisher} is publishing {application} now.")
        time.sleep(POLL_SECONDS)
    try:
        yield lease
    finally:
        Stage.objects.filter(application=application, lease=lease).update(
            lease="", lease_until=None
        )


def _acquire(application: Application, user: User, lease: str) -> bool:
    now = timezone.now()
    Stage.objects.get_or_create(application=application)
    free = Q(lease="") | Q(lease_until=None) | Q(lease_until__lt=now)
    return bool(
        Stage.objects.filter(free, application=application).update(
            publisher=user, lease=lease, leased_at=now, lease_until=now + LEASE
        )
    )
