"""Fast password hashing for made-up users."""

from __future__ import annotations

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """Hash with few iterations, because each call with HTTP Basic checks a password.

    With Django's default, each call would take a third of a second. These passwords protect only
    sample data.
    """

    algorithm = "pbkdf2_sha256_quick"
    iterations = 20_000
