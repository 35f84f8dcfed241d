"""Measure pages with Lighthouse; print a table and write ``var/lighthouse.json``.

``make lighthouse`` runs this. Each page is loaded with an empty cache, on a simulated slow phone
(Lighthouse's default), for a signed-in developer, super admin and client. The static files are
compressed, as in production. Scores for performance vary on a busy machine: the run in the middle
counts, and ``--runs 5`` helps.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.lighthouse.pages import Page, find_pages
from tests.servers import ROOT, collect_compressed_files, console_demo, set_up_demo
from tests.setup import LIGHTHOUSE, find_chromium, set_up_lighthouse

OUTPUT = ROOT / "var" / "lighthouse.json"
#: The lowest accepted score of each category.
AIMS = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
#: For each run of one page.
TIMEOUT_SECONDS = 180


@dataclass(frozen=True, kw_only=True)
class Result:
    """The scores of a page, and what Lighthouse would change."""

    name: str
    url: str
    scores: dict[str, int]
    metrics: dict[str, float]
    failed: list[dict[str, Any]]
    runs: list[dict[str, int]]

    @property
    def missed(self) -> list[str]:
        """Name the categories whose score is below its aim."""
        return [category for category, aim in AIMS.items() if self.scores[category] < aim]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    if not (chromium := find_chromium()):
        print("There is no Chromium here (python -m tests.setup).", file=sys.stderr)
        return 2
    if problem := set_up_lighthouse():
        print(f"Lighthouse is not installed: {problem}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="lighthouse-") as folder:
        demo_folder = Path(folder)
        set_up_demo(demo_folder)
        collect_compressed_files(demo_folder)
        with console_demo(demo_folder) as demo:
            pages = [
                page
                for page in find_pages(demo)
                if any(part in page.name for part in options.pages)
            ]
            results = [*_measured(pages, chromium, options.runs)]
    _write(results)
    is_complete = results and len(results) == len(pages)
    return 1 if not is_complete or any(result.missed for result in results) else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.lighthouse", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often each page is loaded")
    parser.add_argument(
        "--pages", nargs="+", default=[""], help="only pages whose names contain one of these"
    )
    return parser.parse_args(arguments)


def _measured(pages: Sequence[Page], chromium: str, runs: int) -> Iterator[Result]:
    """Yield the results in the order of the pages, and print each as soon as it is known."""
    request = {
        "chrome": chromium,
        "runs": runs,
        "pages": [asdict(page) for page in pages],
    }
    process = subprocess.Popen(
        ["node", str(LIGHTHOUSE / "measure.js")],
        env={key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout
    json.dump(request, process.stdin)
    process.stdin.close()
    print(_line("page", [*AIMS, "bytes"]), flush=True)
    for line in process.stdout:
        result = Result(**json.loads(line))
        size = f"{result.metrics['total-byte-weight'] / 1000:.0f} kB"
        print(_line(result.name, [*(result.scores[each] for each in AIMS), size]), flush=True)
        yield result
    if process.wait(TIMEOUT_SECONDS) != 0:
        raise RuntimeError("Lighthouse stopped; its message is above.")


def _line(name: str, cells: Sequence[object]) -> str:
    return f"| {name:32} |" + "|".join(f"{cell!s:>15} " for cell in cells) + "|"


def _write(results: Sequence[Result]) -> None:
    for result in results:
        for each in result.failed:
            if each["category"] in result.missed:
                places = "".join(f"\n      {place}" for place in each["at"] if place)
                print(f"{result.name}: {each['title']} {each['value']}{places}")
    OUTPUT.parent.mkdir(exist_ok=True)
    found = [{**vars(result), "missed": result.missed} for result in results]
    OUTPUT.write_text(json.dumps({"aims": AIMS, "pages": found}, indent=1), encoding="utf-8")
    missed = sum(bool(result.missed) for result in results)
    print(f"{len(results)} pages, {missed} below an aim. Details: {OUTPUT.relative_to(ROOT)}")


if __name__ == "__main__":
    raise SystemExit(main())
