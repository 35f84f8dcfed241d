"""Record changes of second factors in the audit log.

Signals of the model trigger the events. allauth's own signals do not fit: some are sent after
the commit, and none when an operator removes a factor. allauth's views are units of work
(``urls.py``), so an event is saved in the transaction of its change.
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


def connect_signals() -> None:
    pre_save.connect(_saving, sender=Authenticator, dispatch_uid="second factors")
    post_save.connect(_saved, sender=Authenticator, dispatch_uid="second factors")
    post_delete.connect(_deleted, sender=Authenticator, dispatch_uid="second factors")
    authenticator_used.connect(_used, sender=Authenticator, dispatch_uid="second factors")


@transaction.atomic
def record_removal(factor: Authenticator) -> None:
    _record(AuditAction.USER_FACTOR_REMOVED, factor, kind=FACTORS[Authenticator.Type(factor.type)])


def _saving(instance: Authenticator, **kwargs: Any) -> None:
    """Record that recovery codes are shown, which sets ``viewed_at``."""
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
    """Record the removal of a factor, unless its account is deleted.

    Recovery codes are deleted with the last factor or replaced, which is recorded then.
    """
    is_origin = getattr(origin, "model", type(origin)) is Authenticator
    if is_origin and instance.type != CODES:
        record_removal(instance)


def _used(authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type == CODES:
        _record(AuditAction.USER_RECOVERY_CODE_USED, authenticator)
        _mail("mfa/email/recovery_code_used", authenticator)


@transaction.atomic
def _record(action: AuditAction, factor: Authenticator, **details: str) -> None:
    for home in homes(factor.user):
        record(action, home, _actor(factor.user), factor.user, **details)


def _actor(owner: User) -> User | None:
    """Return the person who is signed in, or the owner while they sign in; None for commands."""
    if context.request is None:
        return None
    user = context.request.user
    return user if user.is_authenticated else owner


def _mail(template: str, factor: Authenticator) -> None:
    if context.request is not None:
        get_adapter().send_notification_mail(template, factor.user)
