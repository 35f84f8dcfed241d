"""Make a key, and take it back."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from connections.referencing import hold
from connections.standing import Environment
from console.accounts.models import Organization, User
from console.applications.models import Application
from console.audit.acts import Act
from console.audit.recording import record
from console.keys.models import ApiKey
from console.keys.writing import mint

#: Two, so that a program changes from one to the next without a gap.
MOST_VALID = 2
#: The environments of an application at home.
AT_HOME = (Environment.DEVELOPMENT, Environment.STAGE)


class TooManyKeys(Exception):
    """Both keys of a place are taken; the message says what to do."""


class NoSuchPlace(LookupError):
    """The application does not run in such an environment of the organisation."""


def runs_in(application: Application, organization: Organization, environment: str) -> bool:
    """Tell whether an application runs in an environment of an organisation.

    The one place that knows it. Development and Stage are the application's own.
    """
    return environment in AT_HOME and application.organization_id == organization.pk


def create_key(
    application: Application, organization: Organization, environment: str, user: User, name: str
) -> tuple[ApiKey, str]:
    """Make a key and return it with its text, which nobody can read again.

    Raise :class:`NoSuchPlace`, or :class:`TooManyKeys` where two are valid already.
    """
    minted = mint(environment)
    with transaction.atomic():
        application = hold(application)
        if not runs_in(application, organization, environment):
            raise NoSuchPlace(f"{application} does not run in {environment} of {organization}.")
        if ApiKey.objects.of(application, organization, environment).valid().count() >= MOST_VALID:
            label = Environment(environment).label
            raise TooManyKeys(
                f"{application} has {MOST_VALID} valid keys in {label}, which is enough to change "
                "from one to the other. Revoke the one that no program uses, then create another."
            )
        key = ApiKey.objects.create(
            application=application,
            organization=organization,
            environment=environment,
            name=name,
            prefix=minted.prefix,
            digest=minted.digest,
            created_by=user,
        )
        _record(Act.API_KEY_CREATED, key, user)
    return key, minted.text


def revoke_key(key: ApiKey, user: User) -> None:
    """Let a key count no more: within a second no process takes it."""
    with transaction.atomic():
        row = ApiKey.objects.select_for_update().get(pk=key.pk)
        if row.revoked_at:
            return
        row.revoked_at, row.revoked_by = timezone.now(), user
        row.save(update_fields=["revoked_at", "revoked_by"])
        _record(Act.API_KEY_REVOKED, row, user)


def _record(act: Act, key: ApiKey, user: User) -> None:
    record(
        act,
        key.organization_id,
        user,
        key,
        application=key.application.name,
        environments=[key.environment],
        prefix=key.prefix,
    )
