"""``manage.py check_connectors [--json|--markdown]``: report every fault of every definition."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from connectors.definitions.documentation import catalogue_page, connector_summary, left_out
from connectors.definitions.loader import DefinitionFault, definition_files, read_all, read_files
from connectors.definitions.registry import CATALOGUE, constants, folders


class Command(BaseCommand):
    help = "Read every connector definition and report each fault with its file and key."
    requires_system_checks: list[str] = []  # the catalogue is what is being looked at

    def add_arguments(self, parser: CommandParser) -> None:
        output = parser.add_mutually_exclusive_group()
        output.add_argument("--json", action="store_true", help="print one JSON object")
        output.add_argument("--markdown", action="store_true", help="write docs/catalogue.md")
        parser.add_argument(
            "--catalogue",
            type=Path,
            metavar="FOLDER",
            help="read this folder only, in place of the built-in one and EXTRA_CATALOGUES",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        source = "--catalogue" if options["catalogue"] else "EXTRA_CATALOGUES"
        paths = (options["catalogue"],) if options["catalogue"] else folders()
        connectors, faults = read_files(definition_files(paths), constants())
        faults += tuple(
            DefinitionFault(file=str(path), key=source, message="There is no such folder.")
            for path in paths
            if not path.is_dir()
        )
        if options["json"]:
            report = {
                "connectors": [connector_summary(connector) for connector in connectors.values()],
                "left_out": left_out()["services"],
                "faults": [asdict(fault) for fault in faults],
            }
            self.stdout.write(json.dumps(report, indent=2))
        else:
            for fault in faults:
                self.stdout.write(str(fault))
            read = len(definition_files(paths))
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
            file.write_text(catalogue_page(built_in.values()), encoding="utf-8")
            self.stdout.write(f"Written: {file}")
