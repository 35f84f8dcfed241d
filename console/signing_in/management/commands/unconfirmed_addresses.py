"""``manage.py unconfirmed_addresses``: list accounts whose address nobody has confirmed."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.accounts.email_addresses import unconfirmed
from console.signing_in.email_changes import vouch


class Command(BaseCommand):
    help = (
        "List the accounts whose address nobody has confirmed. They cannot sign in before they "
        "type in a code that is mailed there, or before you vouch for them with --confirm."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--confirm",
            metavar="ADDRESS",
            action="append",
            default=[],
            help="say that you know this address to be the person's; may be given several times",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for email in options["confirm"]:
            address = unconfirmed().filter(email=email.strip().lower()).first()
            if address is None:
                raise CommandError(f"No account waits for the confirmation of {email}.")
            if not address.can_set_verified():
                raise CommandError(
                    f"{email} is confirmed for another account. Change the address of the one "
                    "that is wrong in Administration."
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
