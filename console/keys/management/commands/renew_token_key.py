"""Replace the key that signs people's tokens."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from console.keys.user_tokens import renew


class Command(BaseCommand):
    help = (
        "Create a new key to sign the tokens that identify people to applications. Tokens signed "
        "with the old key stay valid until they expire, at most an hour."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Tokens are now signed with key {renew()}.")
