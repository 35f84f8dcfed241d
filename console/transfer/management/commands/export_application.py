"""Write an application into a file, as its *Export* button does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.applications.models import Application
from console.transfer.exporting import export_and_record


class Command(BaseCommand):
    help = "Export what is in Development of an application."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("organization", help="Slug.")
        parser.add_argument("link_name", help="Of the application.")
        parser.add_argument("--output", type=Path, help="A file; without it, standard output.")

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
