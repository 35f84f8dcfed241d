"""``manage.py export_application``: export an application, like the *Export* button."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.applications.models import Application
from console.transfer.exporting import export_and_record


class Command(BaseCommand):
    help = "Export the Development version of an application as JSON."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("organization", help="The slug of the organization.")
        parser.add_argument("link_name", help="The link name of the application.")
        parser.add_argument(
            "--output", type=Path, help="The file to write. Default: standard output."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        slug, link_name = options["organization"], options["link_name"]
        application = Application.objects.filter(
            organization__slug=slug, link_name=link_name
        ).first()
        if application is None:
            raise CommandError(f"The organization {slug} has no application {link_name}.")
        text = export_and_record(application, None)
        if path := options["output"]:
            try:
                path.write_text(text, encoding="utf-8", newline="\n")
            except OSError as error:
                raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        else:
            self.stdout.write(text, ending="")
