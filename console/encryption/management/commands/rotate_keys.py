"""Encrypt every secret again with the first key in ``CRYPTOGRAPHY_KEYS``."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from console.database import retry_while_down
from console.encryption import key_sentinel
from console.encryption.encrypted_rows import (
    EncryptedPage,
    all_encrypted_rows,
    load_progress,
    scan,
)
from console.encryption.fernet_keys import SecretUnreadable, first_key_id, key_ring, uses_first_key
from console.encryption.models import ScanProgress

#: Rows for each transaction. Other writers wait for as long as one transaction takes.
BATCH = 100
NAME = "rotation"

#: A row, the name of the value, its old ciphertext and its new one.
Change = tuple[Any, str, bytes, bytes]


class Command(BaseCommand):
    help = (
        "Re-encrypt every secret with the first key in CRYPTOGRAPHY_KEYS. The console can stay "
        "in use meanwhile. If the command is stopped or killed, run it again and it continues. "
        "Afterwards you can remove the older keys."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Count the secrets that can be decrypted, and write nothing.",
        )
        parser.add_argument(
            "--keys-are-lost",
            action="store_true",
            help="Accept these keys although they cannot decrypt the stored secrets, so that the "
            "console starts. Health lists the unreadable secrets; they must be authorized again.",
        )

    def handle(self, *args: Any, dry_run: bool, keys_are_lost: bool, **options: Any) -> None:
        everything = all_encrypted_rows()
        if not keys_are_lost:
            try:
                key_sentinel.refuse_wrong_key_ring(everything)
            except SecretUnreadable as error:
                raise CommandError(
                    f"{error} If the key is lost, use --keys-are-lost to continue without it."
                ) from error
        progress = ScanProgress(name=NAME, key=first_key_id()) if dry_run else load_progress(NAME)
        if progress.model:
            self.stdout.write(f"Continuing after {progress.done} secrets of an earlier run.")
        for page in scan(everything, progress, BATCH):
            changes = self._re_encrypt(page, progress)
            if not dry_run:
                _write(page, changes, progress)
        if not dry_run:
            # Last: until now the console does not start without the old keys.
            retry_while_down(key_sentinel.renew)
            retry_while_down(ScanProgress.objects.filter(name=NAME).delete)
        verb = "would be" if dry_run else "are"
        self.stdout.write(f"{progress.done} secrets {verb} encrypted with the first key.")
        if progress.unreadable:
            raise CommandError(
                f"{progress.unreadable} secrets cannot be decrypted. Add the missing key and run "
                "this command again, or have the secrets entered again: Health lists who can do it."
            )

    def _re_encrypt(self, page: EncryptedPage, progress: ScanProgress) -> list[Change]:
        """Re-encrypt the values of older keys; report the unreadable ones and continue."""
        changes: list[Change] = []
        for row, name, old in page.values():
            if not uses_first_key(old):
                try:
                    changes.append((row, name, old, key_ring().rotate(old)))
                except InvalidToken:
                    progress.unreadable += 1
                    value = page.rows_of.describe(row, name)
                    self.stderr.write(
                        f"{value} cannot be decrypted with any key in CRYPTOGRAPHY_KEYS."
                    )
                    continue
            progress.done += 1
        return changes


def _write(page: EncryptedPage, changes: list[Change], progress: ScanProgress) -> None:
    """Write a page and the progress in one transaction; wait while the database is busy."""

    def write() -> None:
        with transaction.atomic():
            for row, name, old, new in changes:
                page.rows_of.replace(row, name, old, new)
            progress.save()

    retry_while_down(write)
