"""Second factors in the audit log: what happens to the rows in which allauth keeps them.

The rows are watched, and not allauth's own signals: some of those are sent after the commit,
and none where an operator takes a factor away. Its views are units of work (``urls.py``), so an
event and its change are kept together.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_used
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_save

from console.accounts.models import User
from console.audit.actions import AuditAction
from console.audit.log import homes, record

CODES = Authenticator.Type.RECOVERY_CODES
FACTORS = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.WEBAUTHN: "passkey",
    CODES: "recovery codes",
}


def listen() -> None:
    """Begin to listen; called twice, it listens once."""
    pre_save.connect(_saving, sender=Authenticator, dispatch_uid="second factors")
    post_save.connect(_saved, sender=Authenticator, dispatch_uid="second factors")
    post_delete.connect(_deleted, sender=Authenticator, dispatch_uid="second factors")
    authenticator_used.connect(_used, sender=Authenticator, dispatch_uid="second factors")


@transaction.atomic
def removed(factor: Authenticator) -> None:
    """Record that a factor is gone."""
    _record(AuditAction.USER_FACTOR_REMOVED, factor, kind=FACTORS[Authenticator.Type(factor.type)])


def _saving(instance: Authenticator, **kwargs: Any) -> None:
    """Record that recovery codes are shown: that is when they are marked as seen."""
    if instance.type != CODES or not instance.data.get("viewed_at"):
        return
    before = Authenticator.objects.filter(pk=instance.pk).values_list("data", flat=True).first()
    if before is not None and not before.get("viewed_at"):
        _record(AuditAction.USER_RECOVERY_CODES_VIEWED, instance)
        _mail("mfa/email/recovery_codes_viewed", instance)


def _saved(instance: Authenticator, created: bool, **kwargs: Any) -> None:
    if not created:
        return
    if instance.type == CODES:
        _record(AuditAction.USER_RECOVERY_CODES_GENERATED, instance)
    else:
        kind = FACTORS[Authenticator.Type(instance.type)]
        _record(AuditAction.USER_FACTOR_ADDED, instance, kind=kind)


def _deleted(instance: Authenticator, origin: Any = None, **kwargs: Any) -> None:
    """Record a factor that is deleted itself, and not with its account.

    Recovery codes go with the last factor, or give way to new ones: that event tells of it.
    """
    itself = getattr(origin, "model", type(origin)) is Authenticator
    if itself and instance.type != CODES:
        removed(instance)


def _used(authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type == CODES:
        _record(AuditAction.USER_RECOVERY_CODE_USED, authenticator)
        _mail("mfa/email/recovery_code_used", authenticator)


@transaction.atomic
def _record(act: AuditAction, factor: Authenticator, **details: str) -> None:
    for home in homes(factor.user):
        record(act, home, _actor(factor.user), factor.user, **details)


def _actor(owner: User) -> User | None:
    """Return who is signed in, or at the second step signs in."""
    if context.request is None:
        return None
    user = context.request.user
    return user if user.is_authenticated else owner


def _mail(template: str, factor: Authenticator) -> None:
    if context.request is not None:
        get_adapter().send_notification_mail(template, factor.user)
