"""Ask a service to revoke a grant (RFC 7009), and say truly what it did."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format

from connections.models import Credential
from connectors.definitions.schema import Revocation
from connectors.errors import ServiceError, ServiceRefused
from connectors.oauth2 import revocation
from connectors.oauth2.revocation import TokensRevoked
from console.accounts.models import Organization, User
from console.audit.actions import AuditAction
from console.audit.log import Subject, record

logger = logging.getLogger(__name__)
#: How often a service is asked again because a refresh came in meanwhile.
_ROUNDS = 3


class RevocationResult(StrEnum):
    """What a service did with a grant, as the audit log has it."""

    REVOKED = "revoked"
    PARTLY = "partly revoked"
    REFUSED = "refused"
    NO_ANSWER = "no answer"
    NOT_ASKED = "not asked"  # the service has no way to revoke, or could not be reached


@dataclass(frozen=True, kw_only=True)
class RevocationOutcome:
    """What became of a grant: the result, and a sentence or more for a person."""

    result: RevocationResult
    sentence: str


def prospect(credential: Credential) -> str:
    """Say what will become of a grant, before anybody decides to revoke it."""
    service = credential.connector.name
    if (how := _way(credential)) is None:
        return not_asked(credential).sentence
    promise = (
        f"{service} is asked to revoke the access, and the credential is erased here whatever "
        f"{service} answers."
    )
    return promise if how.token != "refresh_token" else _joined(promise, still_works(credential))


def ask(credential: Credential) -> RevocationOutcome:
    """Ask the service to revoke a grant, if it has a way to, and say what it did."""
    if not is_asked(credential):
        return not_asked(credential)
    try:
        secret = credential.secret.reveal()
        answer = revocation.revoke(
            credential.connector,
            client=credential.client.credentials,
            tokens=secret,
            values=credential.values,
        )
    except ServiceError as error:  # it does not open, or its address is forbidden
        answer = TokensRevoked(refused={"access_token": error})
    return _told(credential, answer)


def erase(key: uuid.UUID, by: User | None = None) -> RevocationOutcome | None:
    """Ask for a grant that nothing uses any more, and delete its row whatever is answered.

    No transaction may be open. The row stays until the service was asked, so that a process
    that is killed in between leaves it to the next *prune*. A refresh that stores new tokens
    meanwhile is noticed by the row's version, and those are revoked, too. Return nothing for a
    credential that is in use, or gone.
    """
    unused = Credential.objects.filter(pk=key, authorizations=None)
    outcome = None
    for turn in range(1, _ROUNDS + 1):
        if (credential := unused.select_related("client").first()) is None:
            return outcome
        try:
            outcome = ask(credential)
        except Exception:  # a fault here must not keep a secret alive, nor those after it
            logger.exception("The credential %s was erased without asking its service.", key)
            outcome = _failed(credential)
        with transaction.atomic():
            row = unused.select_for_update(of=("self",)).only("version").first()
            if row and (row.version == credential.version or turn == _ROUNDS):
                row.delete()
                _record(credential, outcome, by)
                return outcome
    return outcome


def erase_each(keys: Iterable[uuid.UUID], by: User | None = None) -> list[str]:
    """Erase those of these credentials that nothing uses; say what became of each account."""
    rows = Credential.objects.filter(pk__in=list(keys), authorizations=None)
    labels = rows.order_by("created_at", "pk").values_list("pk", "label")
    outcomes = [(label, erase(key, by)) for key, label in labels]
    return [f"{label}: {outcome.sentence}" for label, outcome in outcomes if outcome]


def discard(credentials: Iterable[Credential]) -> None:
    """Delete those that nothing uses and ask no service: a grant of the same account follows.

    It belongs into the transaction that replaces them. Left to *prune*, they would be revoked
    at the service, and many services then revoke the new grant, too.
    """
    keys = [credential.pk for credential in credentials]
    Credential.objects.filter(pk__in=keys, authorizations=None).delete()


def revoke_unwanted(
    credential: Credential,
    secret: Mapping[str, str] | None = None,
    *,
    expires_at: datetime | None = None,
) -> str:
    """Revoke tokens that came when nothing here wants them any more; return a sentence.

    Somebody has revoked, deleted or uninstalled while the service was asked. ``credential`` is
    the row that was there, or one that was never saved; ``secret`` are the new tokens, where
    they are not its own. While the row exists its grant is in use. Another grant of the same
    account may be the one that replaced this: many services take back both, so then the new
    tokens are left to end.
    """
    service = credential.connector.name
    if _is_wanted(credential):
        return ""
    if secret is not None:
        credential.secret, credential.expires_at = dict(secret), expires_at
    outcome = ask(credential)
    logger.warning("Tokens of %s came too late: %s.", service, outcome.result)
    if Organization.objects.filter(pk=credential.organization_id).exists():
        with transaction.atomic():
            _record(credential, outcome, None, late=True)
    return outcome.sentence


def still_works(credential: Credential) -> str:
    """Say until when an access token that is not revoked may work, if it still lives."""
    ends = credential.expires_at
    if ends is None:
        return (
            f"The access token may go on working: {credential.connector.name} did not say for "
            "how long."
        )
    if ends <= timezone.now():
        return ""
    local = timezone.localtime(ends)
    form = "H:i" if local.date() == timezone.localdate() else "j F Y, H:i"
    return f"The access token may work until {date_format(local, form)} {local.tzname()}."


def is_asked(credential: Credential) -> bool:
    """Tell whether the service has a way to revoke what this credential is."""
    return _way(credential) is not None


def _way(credential: Credential) -> Revocation | None:
    connector = credential.connector
    if connector.oauth2 is None or credential.auth_type != "oauth2":
        return None
    return connector.oauth2.revocation


def not_asked(credential: Credential) -> RevocationOutcome:
    service = credential.connector.name
    if credential.auth_type == "oauth2":
        told = _joined(
            f"{service} has no way to revoke access from here. The credential is erased here; "
            f"remove the access in your account at {service}, too.",
            still_works(credential),
        )
    else:
        told = (
            f"The credential is erased here. It still works at {service}, because only you can "
            "change or delete it there."
        )
    return RevocationOutcome(result=RevocationResult.NOT_ASKED, sentence=told)


def _failed(credential: Credential) -> RevocationOutcome:
    service = credential.connector.name
    told = (
        f"{service} could not be asked because of an error in this console, which is in its log. "
        f"The credential is erased here; remove the access in your account at {service}, too."
    )
    return RevocationOutcome(result=RevocationResult.NOT_ASKED, sentence=told)


def _told(credential: Credential, answer: TokensRevoked) -> RevocationOutcome:
    """Put what the service did into words."""
    service, how = credential.connector.name, _way(credential)
    if not answer.refused:
        left = how and how.token == "refresh_token" and "access_token" not in answer.revoked
        if left and (lives := still_works(credential)):
            told = f"{service} has revoked the refresh token, and the credential is erased here."
            return RevocationOutcome(result=RevocationResult.PARTLY, sentence=_joined(told, lives))
        told = f"{service} has revoked the access, and the credential is erased here."
        return RevocationOutcome(result=RevocationResult.REVOKED, sentence=told)
    error = next(iter(answer.refused.values()))
    told = f"{error} The credential is erased here all the same."
    if answer.revoked:
        name, other = (n.replace("_", " ") for n in (answer.revoked[0], next(iter(answer.refused))))
        told = f"{service} has revoked the {name}, but not the {other}: {told}"
        result = RevocationResult.PARTLY
    elif isinstance(error, ServiceRefused):
        is_outage = error.status is not None and (error.status == 429 or error.status >= 500)
        result = RevocationResult.NO_ANSWER if is_outage else RevocationResult.REFUSED
    else:
        result = RevocationResult.NOT_ASKED if error.certain else RevocationResult.NO_ANSWER
    if "refresh_token" in answer.refused or not answer.revoked:
        told = f"{told} Remove the access in your account at {service}, too."
    if "access_token" in answer.refused or (how and how.token == "refresh_token"):
        told = _joined(told, still_works(credential))
    return RevocationOutcome(result=result, sentence=told)


def _is_wanted(credential: Credential) -> bool:
    """Tell whether the grant, or one that may hang together with it, is in use here."""
    rows = Credential.objects.filter(organization=credential.organization_id)
    if rows.filter(pk=credential.pk).exists():
        return True
    alike = rows.filter(
        connector_slug=credential.connector_slug,
        auth_type=credential.auth_type,
        client=credential.client_id,
    )
    if credential.account_id:
        alike = alike.filter(account_id__in=("", credential.account_id))
    return alike.exists()


def _record(
    credential: Credential, outcome: RevocationOutcome, by: User | None, *, late: bool = False
) -> None:
    """Write down what a service did; one without a way to revoke was not asked at all."""
    if not is_asked(credential):
        return
    record(
        AuditAction.CREDENTIAL_REVOCATION_ASKED,
        credential.organization_id,
        by,
        Subject.of(credential),
        service=credential.connector.name,
        answer=str(outcome.result),
        note=outcome.sentence,
        late=late or None,
    )


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))
