"""Write every secret again under the first key of ``CRYPTOGRAPHY_KEYS``."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from console.database import retry_while_away
from console.encryption import key_sentinel
from console.encryption.fields import SecretUnreadable, first_key_id, is_under_first_key, key_ring
from console.encryption.models import WalkProgress
from console.encryption.sealed_rows import SealedPage, everything_sealed, progress_of, walk

#: So many rows are written in one transaction: other writers wait no longer than that takes.
BATCH = 100
NAME = "rotation"

#: A row, the name of the value, its old ciphertext and its new one.
Change = tuple[Any, str, bytes, bytes]


class Command(BaseCommand):
    help = (
        "Re-encrypt every secret with the first key of CRYPTOGRAPHY_KEYS. It works beside a "
        "console in use, may be stopped or killed at any time, and goes on from there when it "
        "is run again; afterwards the older keys can be taken away."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Only count what opens; write nothing."
        )
        parser.add_argument(
            "--keys-are-lost",
            action="store_true",
            help="Let the console start with these keys although they do not open what is stored. "
            "What does not open is listed under Health and has to be authorized again.",
        )

    def handle(self, *args: Any, dry_run: bool, keys_are_lost: bool, **options: Any) -> None:
        everything = everything_sealed()
        if not keys_are_lost:
            try:
                key_sentinel.refuse_wrong_key_ring(everything)
            except SecretUnreadable as error:
                raise CommandError(
                    f"{error} Where the key is lost, --keys-are-lost goes on without it."
                ) from error
        progress = WalkProgress(name=NAME, key=first_key_id()) if dry_run else progress_of(NAME)
        if progress.model:
            self.stdout.write(f"Going on after {progress.done} secrets of an earlier run.")
        for page in walk(everything, progress, BATCH):
            changes = self._changes(page, progress)
            if not dry_run:
                _write(page, changes, progress)
        if not dry_run:
            # Last: until here the console does not start without the old keys.
            retry_while_away(key_sentinel.renew)
            retry_while_away(WalkProgress.objects.filter(name=NAME).delete)
        word = "would be" if dry_run else "are"
        self.stdout.write(f"{progress.done} secrets {word} under the first key.")
        if progress.unreadable:
            raise CommandError(
                f"{progress.unreadable} secrets do not open. Add the key they need and run this "
                "again, or have them entered again: Health says who can do it."
            )

    def _changes(self, page: SealedPage, progress: WalkProgress) -> list[Change]:
        """Encrypt what is under an older key; name what does not open, and go on."""
        changes: list[Change] = []
        for row, name, old in page.values():
            if not is_under_first_key(old):
                try:
                    changes.append((row, name, old, key_ring().rotate(old)))
                except InvalidToken:
                    progress.unreadable += 1
                    what = page.rows_of.describe(row, name)
                    self.stderr.write(f"{what} opens with no key of CRYPTOGRAPHY_KEYS.")
                    continue
            progress.done += 1
        return changes


def _write(page: SealedPage, changes: list[Change], progress: WalkProgress) -> None:
    """Write a page and how far it leads, both or neither; a busy database is waited for."""

    def write() -> None:
        with transaction.atomic():
            for row, name, old, new in changes:
                page.rows_of.replace(row, name, old, new)
            progress.save()

    retry_while_away(write)
