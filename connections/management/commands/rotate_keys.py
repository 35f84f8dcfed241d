"""Write every secret anew under the first key of ``CRYPTOGRAPHY_KEYS``."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError

from connections.sealing import key_ring, sealed_fields
from console.signing_in.factors import rotate, sealed_factors

BATCH = 500


class Command(BaseCommand):
    help = (
        "Re-encrypt every secret with the first key of CRYPTOGRAPHY_KEYS. It may be stopped "
        "and run again at any time; afterwards the older keys can be taken away."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Only count what opens; write nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        rotated, unreadable = 0, []
        for model, field in sealed_fields():
            rows = model._default_manager.exclude(**{field.name: None}).order_by("pk")
            for row in rows.iterator(chunk_size=BATCH):
                old = field.value_to_string(row)
                try:
                    new = key_ring().rotate(field.to_python(old))
                except InvalidToken:
                    unreadable.append(f"{model._meta.label} {row.pk}")
                    continue
                if not options["dry_run"]:
                    # A secret that changed meanwhile was written with the first key anyway.
                    model._default_manager.filter(
                        pk=row.pk, **{field.name: field.to_python(old)}
                    ).update(**{field.name: field.sealed(new)})
                rotated += 1
        for factor in sealed_factors():
            try:
                rotate(factor, dry_run=options["dry_run"])
            except InvalidToken:
                unreadable.append(f"{factor._meta.label} {factor.pk}")
            else:
                rotated += 1
        for name in unreadable:
            self.stderr.write(f"{name} opens with no key of CRYPTOGRAPHY_KEYS.")
        word = "would be" if options["dry_run"] else "are"
        self.stdout.write(f"{rotated} secrets {word} under the first key.")
        if unreadable:
            raise CommandError(f"{len(unreadable)} secrets do not open. Add the key they need.")
