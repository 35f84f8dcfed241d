"""``manage.py check_connectors [--json|--markdown]``: report every fault of every definition."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from connectors.describing import described, left_out, page
from connectors.reading import read_all
from connectors.registry import CATALOGUE, constants


class Command(BaseCommand):
    help = "Read every connector definition and report each fault with its file and key."
    requires_system_checks: list[str] = []  # the catalogue is what is being looked at

    def add_arguments(self, parser: CommandParser) -> None:
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="print one JSON object")
        form.add_argument("--markdown", action="store_true", help="write docs/catalogue.md")
        parser.add_argument("--catalogue", default=CATALOGUE, type=Path, metavar="FOLDER")

    def handle(self, *args: Any, **options: Any) -> None:
        connectors, faults = read_all(options["catalogue"], constants())
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
            faulty = len({fault.file for fault in faults})
            self.stdout.write(
                f"Definitions read: {len(connectors) + faulty}. "
                f"Faults: {len(faults)}, in {faulty} of them."
            )
        if faults:
            sys.exit(1)
        if options["markdown"]:
            file = Path(settings.BASE_DIR) / "docs" / "catalogue.md"
            file.write_text(page(connectors.values()), encoding="utf-8")
            self.stdout.write(f"Written: {file}")
