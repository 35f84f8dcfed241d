"""Prepare the result of a run for a page: bodies are indented, and long ones truncated."""

from __future__ import annotations

import json
from dataclasses import dataclass

from connections.calls.exchange import Exchange
from connectors.http.payloads import parse_json
from console.publishing.runs import Run, RunStep

MAX_SHOWN = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class FormattedBody:
    """A body as shown on a page; if it was truncated, ``cut`` says how much is shown."""

    text: str
    cut: str = ""


@dataclass(frozen=True, kw_only=True)
class RunCall:
    """One call of a run, with both bodies formatted."""

    exchange: Exchange
    sent: FormattedBody
    came: FormattedBody


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


def body(text: str) -> FormattedBody:
    """Return at most 64 KiB of a body, with its JSON indented."""
    try:
        document = parse_json(text.encode())
        if isinstance(document, dict | list):
            text = json.dumps(document, indent=2, ensure_ascii=False)
    except ValueError:
        pass  # not JSON: shown unchanged
    raw = text.encode()
    if len(raw) <= MAX_SHOWN:
        return FormattedBody(text=text)
    start = raw[:MAX_SHOWN].decode("utf-8", "ignore")
    return FormattedBody(text=start, cut=f"The first 64 KiB of {len(raw) // 1024:,} KiB are shown.")
