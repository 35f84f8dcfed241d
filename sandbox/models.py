"""The rows of the sandbox: its people, what they own, and how it misbehaves."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


def new_api_key() -> str:
    return f"sandbox-{secrets.token_urlsafe(24)}"


class Person(AbstractUser):
    """Someone with an account here, who may sign in, call the API and let others call it."""

    # Kept readable because the account page shows it.
    api_key = models.CharField("API key", max_length=200, unique=True, default=new_api_key)

    @property
    def name(self) -> str:
        return self.get_full_name() or self.username

    def as_json(self) -> dict[str, Any]:
        return {"id": self.pk, "name": self.name, "user_name": self.username, "email": self.email}


class Contact(models.Model):
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="contacts"
    )
    name = models.CharField(max_length=100)
    email = models.EmailField("e-mail address", blank=True)
    company = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.pk,
            "name": self.name,
            "email": self.email,
            "company": self.company,
            "created_at": self.created_at.isoformat(timespec="seconds"),
        }


class Order(models.Model):
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="orders"
    )
    item = models.CharField(max_length=100)
    quantity = models.PositiveIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    placed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.item} ({self.quantity})"

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.pk,
            "item": self.item,
            "quantity": self.quantity,
            "placed_at": self.placed_at.isoformat(timespec="seconds"),
        }


class Mode(models.TextChoices):
    """How one of the service's doors answers."""

    OK = "ok", "Works"
    SLOW = "slow", "Does the work, answers late"
    ERROR = "500", "Answers 500"
    HTML = "html", "Answers 200 with an HTML page"
    EMPTY = "empty", "Answers 200 with nothing"
    REDIRECT = "redirect", "Redirects to another host"
    REVOKED = "revoked", "Says that access was withdrawn"


#: A page in a browser and a revocation have no credential that could be called withdrawn.
MODES_WITHOUT_CREDENTIAL = [(m.value, m.label) for m in Mode if m is not Mode.REVOKED]


class Switches(models.Model):
    """How the service fails on purpose, in one row."""

    token = models.CharField("Token endpoint", max_length=8, choices=Mode, default=Mode.OK)
    api = models.CharField("API", max_length=8, choices=Mode, default=Mode.OK)
    authorize = models.CharField(
        "Consent page", max_length=8, choices=MODES_WITHOUT_CREDENTIAL, default=Mode.OK
    )
    revoke = models.CharField(
        "Revocation endpoint", max_length=8, choices=MODES_WITHOUT_CREDENTIAL, default=Mode.OK
    )
    slow_seconds = models.FloatField(
        "Delay of a late answer, in seconds",
        default=15,
        validators=[
            MinValueValidator(0, "An answer cannot come before its question."),
            MaxValueValidator(120, "Two minutes (120) are the longest delay."),
        ],
    )
    expires_in = models.JSONField(
        "Life of an access token, as told",
        null=True,
        default=None,
        help_text="JSON, for instance 0, -1 or “soon” in quotes. "
        "The word absent leaves it out; nothing at all tells the truth.",
    )
    withhold_refresh_token = models.BooleanField("Give no refresh token", default=False)
    grant_fewer_scopes = models.BooleanField(
        "Grant one permission fewer than was allowed", default=False
    )
    omit_iss = models.BooleanField("Leave out who answers (iss)", default=False)
    wrong_iss = models.BooleanField(
        "Name somebody else as the one who answers (iss)", default=False
    )

    class Meta:
        verbose_name_plural = "switches"

    def __str__(self) -> str:
        return "Switches"

    @classmethod
    def current(cls) -> Switches:
        """Return how the switches stand, all off where nobody has touched them."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    @classmethod
    def names(cls) -> list[str]:
        return [field.name for field in cls._meta.fields if field.name != "id"]

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.names()}

    @property
    def any_thrown(self) -> bool:
        return self.as_json() != Switches().as_json()
