"""Create and revoke API keys.

Each function checks the person's permission in its own transaction
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
from console.keys.key_format import generate_key
from console.keys.key_site import OWN_ENVIRONMENTS, action_in
from console.keys.models import ApiKey, ApiKeyQuerySet

#: Two, so that a program can change keys without interruption.
MAX_VALID = 2


class TooManyKeys(Exception):
    """The application has two valid keys in the environment; the message says what to do."""


class NotRunningThere(LookupError):
    """The application does not run in this environment of the organization."""


def runs_in(application: Application, organization: Organization, environment: str) -> bool:
    """Tell whether an application runs in an environment of an organization.

    Development and Stage belong to the organization that builds it. Production is where it is
    installed, while its license lasts.
    """
    if environment in OWN_ENVIRONMENTS:
        return application.organization_id == organization.pk
    if environment != Environment.PRODUCTION:
        return False
    installation = application.installations.filter(organization=organization).first()
    return installation is not None and not installation.has_ended


def create_key(
    application: Application, organization: Organization, environment: str, user: User, name: str
) -> tuple[ApiKey, str]:
    """Create a key and return it with its text, which cannot be shown again.

    Raise :class:`NotRunningThere` or :class:`TooManyKeys`.
    """
    minted = generate_key(environment)
    with transaction.atomic():
        application = lock_application(application)
        if not runs_in(application, organization, environment):
            label = Environment(environment).label
            raise NotRunningThere(f"{application} does not run in {label} of {organization}.")
        authority.check_and_lock(user, organization, action_in(environment))
        if ApiKey.objects.of(application, organization, environment).valid().count() >= MAX_VALID:
            label = Environment(environment).label
            raise TooManyKeys(
                f"{application} already has {MAX_VALID} valid keys in {label}, the maximum. Revoke "
                "the one that no program uses, then create another."
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
        record_all(organization, user, [_audit_entry(AuditAction.API_KEY_CREATED, key)])
    return key, minted.text


def revoke_key(key: ApiKey, user: User) -> None:
    """Revoke a key; within a second it stops working in every process."""
    with transaction.atomic():
        authority.check_and_lock(user, key.organization, action_in(key.environment))
        entries = _revoke(ApiKey.objects.filter(pk=key.pk), user)
        record_all(key.organization_id, user, entries)


def revoke_installed(
    application: Application, organization: Organization, user: User
) -> list[AuditEntry]:
    """Revoke the keys of an application that is uninstalled; return the audit entries.

    Call it in the transaction that uninstalls, and record the entries there.
    """
    keys = ApiKey.objects.of(application, organization, Environment.PRODUCTION)
    return _revoke(keys, user)


def _revoke(keys: ApiKeyQuerySet, user: User) -> list[AuditEntry]:
    valid = keys.valid().select_related("application").order_by("pk")
    rows = list(valid.select_for_update(of=("self",)))
    for row in rows:
        row.revoked_at, row.revoked_by = timezone.now(), user
        row.save(update_fields=["revoked_at", "revoked_by"])
    return [_audit_entry(AuditAction.API_KEY_REVOKED, row) for row in rows]


def _audit_entry(action: AuditAction, key: ApiKey) -> AuditEntry:
    return AuditEntry(
        action=action,
        subject=Subject.of(key),
        details={
            "application": key.application.name,
            "environments": [key.environment],
            "prefix": key.prefix,
        },
    )
