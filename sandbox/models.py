"""Models of the sandbox: people, their contacts and orders, and the switches."""

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
    """A user of the sandbox, who can call the API and allow applications to call it."""

    # Stored as plain text, because the account page shows it.
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
    """How an endpoint responds."""

    OK = "ok", "Works"
    SLOW = "slow", "Works, but responds late"
    ERROR = "500", "Responds with 500"
    HTML = "html", "Responds with 200 and an HTML page"
    EMPTY = "empty", "Responds with 200 and an empty body"
    REDIRECT = "redirect", "Redirects to another host"
    REVOKED = "revoked", "Responds that access was withdrawn"


#: The consent page and the revocation endpoint have no credential that could be withdrawn.
MODES_WITHOUT_CREDENTIAL = [(m.value, m.label) for m in Mode if m is not Mode.REVOKED]


class Switches(models.Model):
    """The switches that make the sandbox fail on purpose, in one row."""

    token = models.CharField("Token endpoint", max_length=8, choices=Mode, default=Mode.OK)
    api = models.CharField("API", max_length=8, choices=Mode, default=Mode.OK)
    authorize = models.CharField(
        "Consent page", max_length=8, choices=MODES_WITHOUT_CREDENTIAL, default=Mode.OK
    )
    revoke = models.CharField(
        "Revocation endpoint", max_length=8, choices=MODES_WITHOUT_CREDENTIAL, default=Mode.OK
    )
    slow_seconds = models.FloatField(
        "Delay of late responses, in seconds",
        default=15,
        validators=[
            MinValueValidator(0, "The delay cannot be negative."),
            MaxValueValidator(120, "The longest delay is 120 seconds."),
        ],
    )
    expires_in = models.JSONField(
        "Lifetime of access tokens in responses (expires_in)",
        null=True,
        default=None,
        help_text="JSON, for instance 0, -1 or “soon” in quotes. "
        "Enter absent to leave it out, or nothing for the real lifetime.",
    )
    withhold_refresh_token = models.BooleanField("Issue no refresh token", default=False)
    grant_fewer_scopes = models.BooleanField(
        "Grant one permission less than the person allowed", default=False
    )
    omit_iss = models.BooleanField("Leave out the issuer (iss)", default=False)
    wrong_iss = models.BooleanField("Name another issuer (iss)", default=False)

    class Meta:
        verbose_name_plural = "switches"

    def __str__(self) -> str:
        return "Switches"

    @classmethod
    def current(cls) -> Switches:
        """Return the switches; all are off if they were never set."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    @classmethod
    def names(cls) -> list[str]:
        return [field.name for field in cls._meta.fields if field.name != "id"]

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.names()}

    @property
    def any_active(self) -> bool:
        return self.as_json() != Switches().as_json()
