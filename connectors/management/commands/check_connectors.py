"""``manage.py check_connectors [--json]``: report every fault of every definition."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from connectors.definition import Connector
from connectors.reading import read_all
from connectors.registry import CATALOGUE, constants


class Command(BaseCommand):
    help = "Read every connector definition and report each fault with its file and key."
    requires_system_checks: list[str] = []  # the catalogue is what is being looked at

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--catalogue", default=CATALOGUE, type=Path, metavar="FOLDER")

    def handle(self, *args: Any, **options: Any) -> None:
        connectors, faults = read_all(options["catalogue"], constants())
        if options["json"]:
            report = {
                "connectors": [_described(connector) for connector in connectors.values()],
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


def _described(connector: Connector) -> dict[str, Any]:
    return {
        "slug": connector.slug,
        "name": connector.name,
        "auth": list(connector.auth_types),
        "category": connector.category,
        "levels": list(connector.levels),
        "scopes": len(connector.oauth2.actions) if connector.oauth2 else 0,
        "parameters": [parameter.name for parameter in connector.parameters],
        "sources": list(connector.sources),
        "read_on": connector.read_on,
    }
