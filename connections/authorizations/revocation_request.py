"""Request that a service revokes a grant (RFC 7009), and say what the service answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils import timezone
from django.utils.formats import date_format

from connections.models import Credential
from connectors.definitions.schema import Revocation
from connectors.errors import ServiceError, ServiceRefused
from connectors.oauth2.revocation import TokensRevoked, revoke


class RevocationResult(StrEnum):
    """The result of a revocation request, as stored in the audit log."""

    REVOKED = "revoked"
    PARTLY = "partly revoked"
    REFUSED = "refused"
    NO_ANSWER = "no answer"
    NOT_ASKED = "not asked"  # the service cannot revoke, or could not be reached


@dataclass(frozen=True, kw_only=True)
class RevocationOutcome:
    """The result of a revocation request, and one or more sentences for a person."""

    result: RevocationResult
    sentence: str


def preview(credential: Credential) -> str:
    """Say what revoking the grant will do, before a person decides to revoke it."""
    service = credential.connector.name
    if (revocation := _revocation_of(credential)) is None:
        return not_supported(credential).sentence
    promise = (
        f"The console asks {service} to revoke the access, and erases the credential here whatever "
        f"{service} answers."
    )
    return (
        promise
        if revocation.token != "refresh_token"
        else _joined(promise, still_works(credential))
    )


def request_revocation(credential: Credential) -> RevocationOutcome:
    """Request the revocation of a grant, if the service supports it."""
    if not can_revoke(credential):
        return not_supported(credential)
    try:
        answer = revoke(
            credential.connector,
            client=credential.client_credentials,
            tokens=credential.open_secret(),
            values=credential.values,
        )
    except ServiceError as error:  # it cannot be decrypted, or its URL is forbidden
        answer = TokensRevoked(refused={"access_token": error})
    return _describe(credential, answer)


def still_works(credential: Credential) -> str:
    """Say until when an access token may work that was not revoked and has not expired."""
    ends = credential.expires_at
    if ends is None:
        service = credential.connector.name
        return f"The access token may still work: {service} did not say for how long."
    if ends <= timezone.now():
        return ""
    local = timezone.localtime(ends)
    form = "H:i" if local.date() == timezone.localdate() else "j F Y, H:i"
    return f"The access token may work until {date_format(local, form)} {local.tzname()}."


def can_revoke(credential: Credential) -> bool:
    """Tell whether the service supports revoking this credential."""
    return _revocation_of(credential) is not None


def _revocation_of(credential: Credential) -> Revocation | None:
    connector = credential.connector
    if connector.oauth2 is None or credential.auth_type != "oauth2":
        return None
    return connector.oauth2.revocation


def not_supported(credential: Credential) -> RevocationOutcome:
    service = credential.connector.name
    if credential.auth_type == "oauth2":
        text = _joined(
            f"{service} has no way to revoke access from here. The credential is erased here; "
            f"remove the access in your account at {service}, too.",
            still_works(credential),
        )
    else:
        text = (
            f"The credential is erased here. It still works at {service}, because only you can "
            "change or delete it there."
        )
    return RevocationOutcome(result=RevocationResult.NOT_ASKED, sentence=text)


def request_failed(credential: Credential) -> RevocationOutcome:
    service = credential.connector.name
    text = (
        f"{service} could not be asked because of an error in this console, which is in its log. "
        f"The credential is erased here; remove the access in your account at {service}, too."
    )
    return RevocationOutcome(result=RevocationResult.NOT_ASKED, sentence=text)


def _describe(credential: Credential, answer: TokensRevoked) -> RevocationOutcome:
    """Describe the answer of the service in sentences for a person."""
    service, revocation = credential.connector.name, _revocation_of(credential)
    if not answer.refused:
        left = (
            revocation
            and revocation.token == "refresh_token"
            and "access_token" not in answer.revoked
        )
        if left and (lives := still_works(credential)):
            text = f"{service} has revoked the refresh token, and the credential is erased here."
            return RevocationOutcome(result=RevocationResult.PARTLY, sentence=_joined(text, lives))
        text = f"{service} has revoked the access, and the credential is erased here."
        return RevocationOutcome(result=RevocationResult.REVOKED, sentence=text)
    error = next(iter(answer.refused.values()))
    text = f"{error} The credential is erased here all the same."
    if answer.revoked:
        name, other = (n.replace("_", " ") for n in (answer.revoked[0], next(iter(answer.refused))))
        text = f"{service} has revoked the {name}, but not the {other}: {text}"
        result = RevocationResult.PARTLY
    elif isinstance(error, ServiceRefused):
        is_outage = error.status is not None and (error.status == 429 or error.status >= 500)
        result = RevocationResult.NO_ANSWER if is_outage else RevocationResult.REFUSED
    else:
        result = RevocationResult.NOT_ASKED if error.certain else RevocationResult.NO_ANSWER
    if "refresh_token" in answer.refused or not answer.revoked:
        text = f"{text} Remove the access in your account at {service}, too."
    if "access_token" in answer.refused or (revocation and revocation.token == "refresh_token"):
        text = _joined(text, still_works(credential))
    return RevocationOutcome(result=result, sentence=text)


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))
