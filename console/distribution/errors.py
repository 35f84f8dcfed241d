"""The error of shares, listings and installations."""

from __future__ import annotations


class DistributionError(Exception):
    """The action is not possible and nothing was changed; the message is shown to the user."""
