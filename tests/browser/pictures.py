"""Screenshots for the README and the guides, taken by the tests of the same pages."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
#: Only SAVE_PICTURES=1 replaces existing pictures.
PICTURE_NAMES = {
    "gallery": "wizard-1-gallery",
    "name": "wizard-2-name",
    "level": "wizard-3-level",
    "permissions": "wizard-4-permissions",
    "environments": "wizard-5-environments",
    "authorize": "wizard-6-authorize",
    "waiting": "wizard-7-waiting",
    "sandbox-sign-in": "wizard-8-sandbox-sign-in",
    "sandbox-consent": "wizard-9-sandbox-consent",
    "authorized": "wizard-10-authorized",
    "details": "details",
    "application": "application",
    "component": "component",
    "publish": "publish",
    "release": "release",
    "install": "client-1-install",
    "installed": "client-2-installed",
    "installed-run": "client-3-run",
    "update": "client-4-update",
}
LARGEST_PICTURE = 200_000


def keep_picture(page: Page, name: str) -> None:
    """Save a screenshot of the window unless the file exists."""
    path = PICTURES / f"{PICTURE_NAMES[name]}.png"
    if path.exists() and os.environ.get("SAVE_PICTURES") != "1":
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, animations="disabled")
    assert path.stat().st_size < LARGEST_PICTURE
