"""Hands that count: every click, every key that is not typed into a field, every field filled.

Opening an address counts as one press. Looking at another window that is open does not: the
windows are side by side.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page

from tests.browser import wizard

#: More than on any page of the console.
MOST_TABS = 80


@dataclass
class Hands:
    """Count what a person does. Only these methods touch a page during a counted journey."""

    presses: int = 0
    fields: int = 0
    #: What was pressed or filled, to read when a count is too high.
    story: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def open(self, page: Page, url: str) -> None:
        """Follow a link from elsewhere, such as from the terminal."""
        self._count(f"open {url}")
        page.goto(url)

    def key(self, page: Page, key: str) -> None:
        self._count(key)
        page.keyboard.press(key)

    def fill(self, target: Locator, text: str) -> None:
        """Type into a field, after moving into it if it does not have the focus yet."""
        target.wait_for()
        target.page.wait_for_load_state()
        if not _is_focused(target):
            self._move_to(target)
        self.fields += 1
        self.story.append(f"fill {target}")
        target.page.keyboard.press("ControlOrMeta+a")  # what is there is replaced by typing
        target.page.keyboard.type(text)

    def press(self, target: Locator) -> None:
        raise NotImplementedError

    def _move_to(self, target: Locator) -> None:
        raise NotImplementedError

    def _count(self, what: str) -> None:
        self.presses += 1
        self.story.append(what)


@dataclass
class Mouse(Hands):
    """A hand on the mouse; Tab and Enter only where the other hand has just typed."""

    def press(self, target: Locator) -> None:
        wizard.wait_until_ready(target.page)
        self._count(f"click {target}")
        target.click()

    def _move_to(self, target: Locator) -> None:
        self.press(target)


@dataclass
class Keyboard(Hands):
    """Only the keyboard: Tab to the target, forward or backward."""

    def press(self, target: Locator, key: str = "Enter") -> None:
        self._move_to(target)
        self.key(target.page, key)

    def skip_to_actions(self, page: Page, target: Locator) -> None:
        """Skip to the content, and go back to the action right before it."""
        wizard.wait_until_ready(page)
        for key in ("Tab", "Enter", "Shift+Tab"):
            self.key(page, key)
        self.press(target)

    def _move_to(self, target: Locator) -> None:
        target.wait_for()
        wizard.wait_until_ready(target.page)
        for _ in range(MOST_TABS):
            if _is_focused(target):
                return
            self.key(target.page, "Tab")
        raise AssertionError(f"{target} cannot be reached with {MOST_TABS} times Tab")


def _is_focused(target: Locator) -> bool:
    return bool(target.evaluate("(element) => element === document.activeElement"))
