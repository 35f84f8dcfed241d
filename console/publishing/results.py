"""What a run looks like on a page: bodies made readable, and cut where they are long."""

from __future__ import annotations

import json
from dataclasses import dataclass

from connections.exchange import Exchange
from connectors.answers import parse_json
from console.publishing.running import Run, Step

MAX_SHOWN = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A body as it is shown; ``cut`` says how much of it is, where that is not all."""

    text: str
    cut: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One call of a run."""

    exchange: Exchange
    sent: Shown
    came: Shown


def shown(run: Run) -> list[tuple[Step, list[Row]]]:
    """Return the steps of a run, each with its calls."""
    return [
        (
            step,
            [Row(exchange=e, sent=body(e.body), came=body(e.answer_body)) for e in step.exchanges],
        )
        for step in run.steps
    ]


def body(text: str) -> Shown:
    """Return a body with its JSON indented, at most 64 KiB of it."""
    try:
        document = parse_json(text.encode())
        if isinstance(document, dict | list):
            text = json.dumps(document, indent=2, ensure_ascii=False)
    except ValueError:
        pass  # shown as it came
    raw = text.encode()
    if len(raw) <= MAX_SHOWN:
        return Shown(text=text)
    start = raw[:MAX_SHOWN].decode("utf-8", "ignore")
    return Shown(text=start, cut=f"The first 64 KiB of {len(raw) // 1024:,} KiB are shown.")
