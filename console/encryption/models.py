"""What the database knows about the key ring: a sentinel, and the progress of long scans."""

from __future__ import annotations

from django.db import models

from console.encryption.fields import EncryptedJSONField


class KeySentinel(models.Model):
    """A known value, encrypted: a key ring that cannot decrypt it is the wrong one.

    Real secrets cannot show that. A single one may be damaged, and reading one of each kind
    takes longer the more rows there are.
    """

    #: Stored twice, so that one damaged byte does not look like a wrong key ring.
    COPIES = (1, 2)

    id = models.PositiveSmallIntegerField(primary_key=True)
    value = EncryptedJSONField()

    def __str__(self) -> str:
        return f"copy {self.pk}"


class ScanProgress(models.Model):
    """How far a scan over all encrypted rows has come, so that the next process can continue."""

    name = models.CharField(max_length=20, primary_key=True)
    #: The first key when the scan began. With another first key, a new scan begins.
    key = models.CharField(max_length=16)
    #: The current model, and the last row of it that was visited.
    model = models.CharField(max_length=60, blank=True)
    row = models.CharField(max_length=40, blank=True)
    done = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "scan progress"

    def __str__(self) -> str:
        return f"{self.name}: {self.model} {self.row}"
