"""``manage.py check_connectors [--json|--markdown]``: report every fault of every definition."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from connectors.definitions.documentation import described, left_out, page
from connectors.definitions.loader import DefinitionFault, definition_files, read_all, read_files
from connectors.definitions.registry import CATALOGUE, constants, folders


class Command(BaseCommand):
    help = "Read every connector definition and report each fault with its file and key."
    requires_system_checks: list[str] = []  # the catalogue is what is being looked at

    def add_arguments(self, parser: CommandParser) -> None:
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="print one JSON object")
        form.add_argument("--markdown", action="store_true", help="write docs/catalogue.md")
        parser.add_argument(
            "--catalogue",
            type=Path,
            metavar="FOLDER",
            help="read this folder only, in place of the built-in one and EXTRA_CATALOGUES",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        said_by = "--catalogue" if options["catalogue"] else "EXTRA_CATALOGUES"
        places = (options["catalogue"],) if options["catalogue"] else folders()
        connectors, faults = read_files(definition_files(places), constants())
        faults += tuple(
            DefinitionFault(file=str(place), key=said_by, message="There is no such folder.")
            for place in places
            if not place.is_dir()
        )
        if options["json"]:
            report = {
                "connectors": [described(connector) for connector in connectors.values()],
                "left_out": left_out()["services"],
                "faults": [asdict(fault) for fault in faults],
            }
            self.stdout.write(json.dumps(report, indent=2))
        else:
            for fault in faults:
                self.stdout.write(str(fault))
            read = len(definition_files(places))
            faulty = len({fault.file for fault in faults})
            self.stdout.write(
                f"Definitions read: {read}. Faults: {len(faults)}, in {faulty} of them."
            )
        if faults:
            sys.exit(1)
        if options["markdown"]:
            file = Path(settings.BASE_DIR) / "docs" / "catalogue.md"
            # The page belongs to the repository, and so do the definitions that it lists.
            built_in, _ = read_all(options["catalogue"] or CATALOGUE, constants())
            file.write_text(page(built_in.values()), encoding="utf-8")
            self.stdout.write(f"Written: {file}")
