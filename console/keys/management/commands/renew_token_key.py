"""Sign the tokens of people with a new key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from console.keys.user_tokens import renew


class Command(BaseCommand):
    help = (
        "Make a new key that signs who opens an application. Tokens that the old one has signed "
        "count until they expire, an hour at most."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Tokens are signed with the key {renew()} from now on.")
