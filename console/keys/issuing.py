"""Make a key, and take it back.

Each verb asks in its own transaction whether the person may
(:class:`~console.accounts.authority.NotAllowed`).
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from console.accounts import authority
from console.accounts.models import Organization, User
from console.applications.locks import lock_application
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject, record_all
from console.choices import Environment
from console.keys.key_format import mint
from console.keys.key_site import AT_HOME, action_in
from console.keys.models import ApiKey, ApiKeyQuerySet

#: Two, so that a program changes from one to the next without a gap.
MOST_VALID = 2


class TooManyKeys(Exception):
    """Both keys of a place are taken; the message says what to do."""


class NoSuchPlace(LookupError):
    """The application does not run in such an environment of the organization."""


def runs_in(application: Application, organization: Organization, environment: str) -> bool:
    """Tell whether an application runs in an environment of an organization.

    The one place that knows it. Development and Stage are the application's own, Production
    is where it is installed, for as long as its license lasts.
    """
    if environment in AT_HOME:
        return application.organization_id == organization.pk
    if environment != Environment.PRODUCTION:
        return False
    installation = application.installations.filter(organization=organization).first()
    return installation is not None and not installation.has_ended


def create_key(
    application: Application, organization: Organization, environment: str, user: User, name: str
) -> tuple[ApiKey, str]:
    """Make a key and return it with its text, which nobody can read again.

    Raise :class:`NoSuchPlace`, or :class:`TooManyKeys` where two are valid already.
    """
    minted = mint(environment)
    with transaction.atomic():
        application = lock_application(application)
        if not runs_in(application, organization, environment):
            label = Environment(environment).label
            raise NoSuchPlace(f"{application} does not run in {label} of {organization}.")
        authority.check_and_lock(user, organization, action_in(environment))
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
        record_all(organization, user, [_happening(AuditAction.API_KEY_CREATED, key)])
    return key, minted.text


def revoke_key(key: ApiKey, user: User) -> None:
    """Let a key count no more: within a second no process takes it."""
    with transaction.atomic():
        authority.check_and_lock(user, key.organization, action_in(key.environment))
        told = _revoked(ApiKey.objects.filter(pk=key.pk), user)
        record_all(key.organization_id, user, told)


def revoke_installed(
    application: Application, organization: Organization, user: User
) -> list[AuditEntry]:
    """Let no key count any more of an application that is taken away; return what happened.

    It belongs into the transaction that does so, which records what is returned.
    """
    keys = ApiKey.objects.of(application, organization, Environment.PRODUCTION)
    return _revoked(keys, user)


def _revoked(keys: ApiKeyQuerySet, user: User) -> list[AuditEntry]:
    valid = keys.valid().select_related("application").order_by("pk")
    rows = list(valid.select_for_update(of=("self",)))
    for row in rows:
        row.revoked_at, row.revoked_by = timezone.now(), user
        row.save(update_fields=["revoked_at", "revoked_by"])
    return [_happening(AuditAction.API_KEY_REVOKED, row) for row in rows]


def _happening(act: AuditAction, key: ApiKey) -> AuditEntry:
    return AuditEntry(
        action=act,
        subject=Subject.of(key),
        details={
            "application": key.application.name,
            "environments": [key.environment],
            "prefix": key.prefix,
        },
    )
