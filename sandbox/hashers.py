"""Password hashing that suits a service whose people are made up."""

from __future__ import annotations

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """Hash with few iterations, as every call behind Basic checks a password.

    Django's own number would make each such call take a third of a second. Nothing that
    is worth guarding stands behind these passwords.
    """

    algorithm = "pbkdf2_sha256_quick"
    iterations = 20_000
