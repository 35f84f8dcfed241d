"""Let a command finish its current step when it receives SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class Stopping:
    """Delay SIGTERM and SIGINT until the current step is done::

    with Stopping() as stopping:
        while stopping.goes_on():
            ...
    """

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stopping:
        # Python allows signal handlers only in the main thread.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def goes_on(self) -> bool:
        """Return whether the command may continue."""
        return not self._requested.is_set()

    def sleep(self, seconds: float) -> None:
        """Wait this long, or until the command is asked to stop."""
        self._requested.wait(seconds)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._requested.set()
        previous = self._previous[signal.Signals(number)]
        if isinstance(getattr(previous, "__self__", None), Stopping):  # a nested command
            previous(number, frame)
