"""Applications that a person has allowed, and how to withdraw their access."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, Grant, RefreshToken

from sandbox.models import Person


@dataclass(frozen=True, kw_only=True)
class AllowedApplication:
    pk: int
    name: str
    since: datetime
    sentences: tuple[str, ...]


def allowed_applications(person: Person) -> list[AllowedApplication]:
    """Return the applications that can act for ``person``, now or after a refresh, by name."""
    tokens_of_person = AccessToken.objects.filter(user=person, application__isnull=False)
    tokens = tokens_of_person.filter(expires__gt=timezone.now()) | tokens_of_person.filter(
        refresh_token__isnull=False, refresh_token__revoked__isnull=True
    )
    by_application: dict[Application, list[AccessToken]] = {}
    for token in tokens.select_related("application").order_by("application__name", "created"):
        by_application.setdefault(token.application, []).append(token)
    return [_summary(application, tokens) for application, tokens in by_application.items()]


def _summary(application: Application, tokens: list[AccessToken]) -> AllowedApplication:
    scopes = {scope for token in tokens for scope in token.scope.split()}
    first = RefreshToken.objects.filter(
        application=application, user=tokens[0].user, revoked__isnull=True
    )
    families = RefreshToken.objects.filter(token_family__in=first.values("token_family"))
    oldest = families.order_by("created").values_list("created", flat=True).first()
    return AllowedApplication(
        pk=application.pk,
        name=application.name or application.client_id,
        since=oldest or tokens[0].created,
        sentences=tuple(s for scope, s in settings.SCOPES.items() if scope in scopes),
    )


@transaction.atomic
def withdraw(person: Person, application: Application) -> None:
    """Revoke all tokens and codes that ``application`` has for ``person``."""
    owned = {"user": person, "application": application}
    RefreshToken.objects.filter(**owned, revoked__isnull=True).update(revoked=timezone.now())
    AccessToken.objects.filter(**owned).delete()
    Grant.objects.filter(**owned).delete()
