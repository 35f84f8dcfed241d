"""What a run looks like on a page: bodies made readable, and cut where they are long."""

from __future__ import annotations

import json
from dataclasses import dataclass

from connections.calls.exchange import Exchange
from connectors.http.payloads import parse_json
from console.publishing.runs import Run, RunStep

MAX_SHOWN = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class ShownBody:
    """A body as it is shown; ``cut`` says how much of it is, where that is not all."""

    text: str
    cut: str = ""


@dataclass(frozen=True, kw_only=True)
class RunCall:
    """One call of a run."""

    exchange: Exchange
    sent: ShownBody
    came: ShownBody


def shown(run: Run) -> list[tuple[RunStep, list[RunCall]]]:
    """Return the steps of a run, each with its calls."""
    return [
        (
            step,
            [
                RunCall(exchange=e, sent=body(e.body), came=body(e.answer_body))
                for e in step.exchanges
            ],
        )
        for step in run.steps
    ]


def body(text: str) -> ShownBody:
    """Return a body with its JSON indented, at most 64 KiB of it."""
    try:
        document = parse_json(text.encode())
        if isinstance(document, dict | list):
            text = json.dumps(document, indent=2, ensure_ascii=False)
    except ValueError:
        pass  # shown as it came
    raw = text.encode()
    if len(raw) <= MAX_SHOWN:
        return ShownBody(text=text)
    start = raw[:MAX_SHOWN].decode("utf-8", "ignore")
    return ShownBody(text=start, cut=f"The first 64 KiB of {len(raw) // 1024:,} KiB are shown.")
