"""``manage.py import_application``: import an application, like the *Import* page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connections.models import Connection
from console.accounts.authority import NotAllowed
from console.accounts.email_addresses import account_of
from console.accounts.models import Organization, User
from console.accounts.policy import Action
from console.components.json_source import JsonFaults
from console.publishing.manifest import Manifest
from console.transfer.import_plan import plan
from console.transfer.importing import MAX_BYTES, NameConflict, import_application, read


class Command(BaseCommand):
    help = "Import an exported application into an organization."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", help="The file to import, or - for standard input.")
        parser.add_argument(
            "--organization", required=True, help="The slug of the organization to import into."
        )
        parser.add_argument(
            "--user", required=True, help="The e-mail address of the person who imports it."
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Print what would be created, without creating it.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user, organization = _who(options["user"], options["organization"])
        manifest = self._read(options["file"])
        if options["dry_run"]:
            planned = plan(manifest, organization)
            self.stdout.write(f"Would create {planned.name} ({planned.link_name}), with:")
            names = [(e.snapshot.name, e.snapshot.link_name) for e in planned.connections]
        else:
            try:
                application = import_application(manifest, organization, user)
            except (NotAllowed, NameConflict) as error:
                raise CommandError(str(error)) from error
            self.stdout.write(f"Created {application.name} ({application.link_name}), with:")
            rows = Connection.objects.filter(application=application).order_by("link_name")
            names = list(rows.values_list("name", "link_name"))
        for name, link_name in names:
            self.stdout.write(f"  connection {name} ({link_name})")
        number = len(manifest.components)
        self.stdout.write(f"  {number} component{'' if number == 1 else 's'}")

    def _read(self, path: str) -> Manifest:
        try:
            if path == "-":
                data = sys.stdin.buffer.read(MAX_BYTES + 1)
            else:
                with Path(path).open("rb") as file:
                    data = file.read(MAX_BYTES + 1)
            return read(data)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        except JsonFaults as error:
            for fault in error.faults:
                self.stderr.write(str(fault))
            if error.more != 0:
                self.stderr.write("There may be more errors.")
            raise CommandError(
                "Nothing was imported. Fix the errors above, and import the file again."
            ) from error


def _who(email: str, slug: str) -> tuple[User, Organization]:
    organization = Organization.objects.filter(slug=slug).first()
    if organization is None:
        raise CommandError(f"There is no organization {slug}.")
    user = account_of(email)
    if user is None:
        raise CommandError(f"There is no account with the e-mail address {email}.")
    allowed = Organization.objects.allowing(user, Action.CREATE_APPLICATIONS)
    if not allowed.filter(pk=organization.pk).exists():
        raise CommandError(
            f"{user} may not create applications in {organization}. Use a super admin of it."
        )
    return user, organization
