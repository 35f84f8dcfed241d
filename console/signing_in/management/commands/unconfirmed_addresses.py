"""``manage.py unconfirmed_addresses``: list accounts with an unconfirmed address."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.accounts.email_addresses import unconfirmed
from console.signing_in.email_changes import vouch


class Command(BaseCommand):
    help = (
        "List accounts whose primary address is not confirmed. These people cannot sign in until "
        "they enter a code that is mailed to the address, or you confirm it with --confirm."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--confirm",
            metavar="ADDRESS",
            action="append",
            default=[],
            help="confirm an address that you know to be the person's; can be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for email in options["confirm"]:
            address = unconfirmed().filter(email=email.strip().lower()).first()
            if address is None:
                raise CommandError(f"No account has the unconfirmed address {email}.")
            if not address.can_set_verified():
                raise CommandError(
                    f"{email} is already confirmed for another account. Change the address of the "
                    "wrong account in Administration."
                )
            vouch(address, None)
            self.stdout.write(f"Confirmed: {email}")
        if options["confirm"]:
            return
        count = 0
        for address in unconfirmed():
            count += 1
            names = address.user.memberships.active().values_list("organization__name", flat=True)
            where = ", ".join(sorted(names)) or "no organization"
            self.stdout.write(f"{address.email}: {where}")
        self.stdout.write(f"Unconfirmed addresses: {count}")
