"""A tag: a word with which an organization groups its connections."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import models

from console.accounts.models import Organization
from console.names import NameField, normalized, validate_name

MAX_TAG_LENGTH = 40
MAX_TAGS = 20


class Tag(models.Model):
    """A word with which an organization groups its connections, in lower case."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="tags")
    name = NameField(max_length=MAX_TAG_LENGTH)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="tag_in_organization")
        ]

    def __str__(self) -> str:
        return self.name


def clean_tags(names: Iterable[str]) -> list[str]:
    """Return the names of tags as they are stored, sorted; raise ``ValidationError``."""
    found = {normalized(name).casefold() for name in names}
    found.discard("")
    for name in found:
        if "," in name:
            raise ValidationError("A tag cannot contain a comma.")
        if len(name) > MAX_TAG_LENGTH:
            raise ValidationError(f"A tag has at most {MAX_TAG_LENGTH} characters.")
        validate_name(name)
    if len(found) > MAX_TAGS:
        raise ValidationError(f"A connection has at most {MAX_TAGS} tags.")
    return sorted(found)
