"""What the database knows about the key ring: a sentinel, and how far a walk has come."""

from __future__ import annotations

from django.db import models

from console.encryption.fields import SealedField


class KeySentinel(models.Model):
    """A sealed value that tells nothing: a key ring that does not open it is a wrong one.

    Real secrets cannot tell that: one of them may be damaged, and to find one of each kind
    takes the longer the more rows there are.
    """

    #: Kept twice, so that one damaged byte is not taken for a wrong key ring.
    COPIES = (1, 2)

    id = models.PositiveSmallIntegerField(primary_key=True)
    value = SealedField()

    def __str__(self) -> str:
        return f"copy {self.pk}"


class WalkProgress(models.Model):
    """How far a walk over all sealed rows has come: the next process goes on from there."""

    name = models.CharField(max_length=20, primary_key=True)
    #: The first key of the ring that it was begun with; another key begins another walk.
    key = models.CharField(max_length=16)
    #: The model whose turn it is, and the last row of it that was visited.
    model = models.CharField(max_length=60, blank=True)
    row = models.CharField(max_length=40, blank=True)
    done = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "progress"

    def __str__(self) -> str:
        return f"{self.name}: {self.model} {self.row}"
