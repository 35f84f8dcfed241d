"""What cannot be done with a share, a listing or an installation."""

from __future__ import annotations


class DistributionError(Exception):
    """It cannot be done, and nothing was changed; the message is for people."""
