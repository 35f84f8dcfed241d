"""Prove that the audit log is as it was written."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.accounts.models import Organization
from console.audit.verification import ChainFault, chains, verify


class Command(BaseCommand):
    help = (
        "Recompute every hash of the audit log. One line for each fault, and exit status 1 if "
        "there is one. Keep the newest hashes that it prints somewhere else."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--organization", default="", help="Slug; empty: all of them.")
        parser.add_argument("--json", action="store_true", help="Print one JSON document.")

    def handle(self, *args: Any, **options: Any) -> None:
        slug, as_json = options["organization"], options["json"]
        if slug and not Organization.objects.filter(slug=slug).exists():
            raise CommandError(f"There is no organization {slug}.")
        document: list[dict[str, Any]] = []
        count = 0
        for key, name in chains(slug).items():
            faults: list[str] = []
            for found in verify(key, name):
                if isinstance(found, ChainFault):
                    count += 1
                    if as_json:
                        faults.append(found.message)
                    else:
                        self.stderr.write(str(found))
                    continue
                document.append(
                    {
                        "organization": found.chain,
                        "events": found.number,
                        "hash": found.hash,
                        "faults": faults,
                    }
                )
                if not as_json:
                    events = "1 event" if found.number == 1 else f"{found.number} events"
                    self.stdout.write(f"{found.chain}: {events}, {found.hash}")
        if as_json:
            self.stdout.write(json.dumps({"chains": document, "faults": count}, indent=2))
        if count:
            raise CommandError(
                f"{count} fault{'' if count == 1 else 's'}: the audit log was changed by another "
                "hand than the console's. Compare it with a backup."
            )
