"""Let a command finish what it is doing when it is told to end."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class Stopping:
    """Hold back SIGTERM and SIGINT until one thing is done::

    with Stopping() as stopping:
        while stopping.goes_on():
            ...
    """

    def __init__(self) -> None:
        self._told = threading.Event()
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stopping:
        # Only the main thread may listen; elsewhere somebody else does.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._tell)
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def goes_on(self) -> bool:
        """Tell whether nobody has asked the command to end."""
        return not self._told.is_set()

    def sleep(self, seconds: float) -> None:
        """Wait, or less if the command is told to end."""
        self._told.wait(seconds)

    def _tell(self, number: int, frame: FrameType | None) -> None:
        self._told.set()
        before = self._before[signal.Signals(number)]
        if isinstance(getattr(before, "__self__", None), Stopping):  # a command within a command
            before(number, frame)
