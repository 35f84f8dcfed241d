"""Audit events as sentences that people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.audit.actions import AuditAction
from console.audit.models import SYSTEM, Event
from console.choices import Role

SENTENCES: Mapping[AuditAction, str] = {
    AuditAction.API_KEY_CREATED: "{who} created the key {what} of {application} for {environments}",
    AuditAction.API_KEY_REVOKED: "{who} revoked the key {what} of {application} for {environments}",
    AuditAction.APPLICATION_CHANGED: "{who} changed the application {what}",
    AuditAction.APPLICATION_CREATED: "{who} created the application {what}",
    AuditAction.APPLICATION_DELETED: "{who} deleted the application {what}",
    AuditAction.APPLICATION_EXPORTED: "{who} exported the application {what}",
    AuditAction.APPLICATION_IMPORTED: "{who} imported the application {what}",
    AuditAction.AUDIT_EXPORTED: "{who} exported the activity of {what}",
    AuditAction.AUTHORIZATION_ENDED: "{what} is no longer authorized as {account}",
    AuditAction.AUTHORIZATION_GIVEN: "{who} authorized {what} as {account} in {environments}",
    AuditAction.AUTHORIZATION_LABELED: "{who} renamed the account {was} of {what} to {account}",
    AuditAction.AUTHORIZATION_RECOVERED: "{what} works again as {account}",
    AuditAction.AUTHORIZATION_REPLACED: "{who} reauthorized {what} as {account} in {environments}",
    AuditAction.AUTHORIZATION_REUSED: (
        "{who} authorized {what} with the existing account {account} in {environments}"
    ),
    AuditAction.AUTHORIZATION_RESTORED: "{what} can use {account} in {environments} again",
    AuditAction.AUTHORIZATION_REVOKED: (
        "{who} revoked the authorization of {what} in {environments}"
    ),
    AuditAction.AUTHORIZATION_SUSPENDED: "{what} is suspended as {account} in {environments}",
    AuditAction.COMPONENT_CREATED: "{who} created the {kind} {what} in {application}",
    AuditAction.COMPONENT_DELETED: "{who} deleted the {kind} {what} from {application}",
    AuditAction.COMPONENT_SAVED: "{who} changed the {kind} {what} in {application}",
    AuditAction.CONNECTION_CREATED: "{who} created the connection {what} in {application}",
    AuditAction.CONNECTION_DELETED: "{who} deleted the connection {what} from {application}",
    AuditAction.CONNECTION_DESCRIBED: "{who} changed the description of the connection {what}",
    AuditAction.CONNECTION_DISABLED: "{who} disabled the connection {what}",
    AuditAction.CONNECTION_ENABLED: "{who} enabled the connection {what}",
    AuditAction.CONNECTION_LEVEL_CHANGED: "{who} changed who authorizes the connection {what}",
    AuditAction.CONNECTION_OWNER_CHANGED: "{who} made {owner} the owner of the connection {what}",
    AuditAction.CONNECTION_OAUTH_CLIENT_CHANGED: (
        "{who} changed the OAuth client of the connection {what} to {client}"
    ),
    AuditAction.CONNECTION_PERMISSIONS_CHANGED: (
        "{who} changed the permissions of the connection {what}"
    ),
    AuditAction.CONNECTION_RENAMED: "{who} renamed the connection {was} to {what}",
    AuditAction.CONNECTION_TAGGED: "{who} changed the tags of the connection {what}",
    AuditAction.CREDENTIAL_REVOCATION_ASKED: "Revoking the access of {what} at {service}: {answer}",
    AuditAction.INSTALLATION_CREATED: (
        "{who} installed {application} in {client}, at release {release}"
    ),
    AuditAction.INSTALLATION_REMOVED: "{who} uninstalled {application} from {client}",
    AuditAction.INSTALLATION_UPDATE_LEFT: "{who} left release {left} of {application} in {client}",
    AuditAction.INSTALLATION_UPDATED: (
        "{who} updated {application} in {client} to release {release}"
    ),
    AuditAction.INVITATION_ACCEPTED: "{who} accepted the invitation to {organization}",
    AuditAction.INVITATION_RESENT: "{who} sent the invitation for {what} again",
    AuditAction.INVITATION_SENT: "{who} invited {what} as {role}",
    AuditAction.INVITATION_WITHDRAWN: "{who} withdrew the invitation for {what}",
    AuditAction.LISTING_PUBLISHED: "{who} published {what} in the marketplace",
    AuditAction.LISTING_REFUSED: "{who} rejected {what} for the marketplace",
    AuditAction.LISTING_SAVED: "{who} changed the marketplace listing of {application}",
    AuditAction.LISTING_SUBMITTED: "{who} submitted {what} to the marketplace",
    AuditAction.LISTING_WITHDRAWN: "{who} removed {what} from the marketplace",
    AuditAction.MEMBERSHIP_CHANGED: "{who} changed the role of {what} to {role}",
    AuditAction.MEMBERSHIP_CREATED: "{who} added {what} as {role}",
    AuditAction.MEMBERSHIP_DEACTIVATED: "{who} deactivated {what}",
    AuditAction.MEMBERSHIP_DELETED: "{who} removed {what} from the organization",
    AuditAction.MEMBERSHIP_REACTIVATED: "{who} reactivated {what}",
    AuditAction.OAUTH_CLIENT_CHANGED: "{who} changed the OAuth client {what}",
    AuditAction.OAUTH_CLIENT_CREATED: "{who} registered the OAuth client {what}",
    AuditAction.OAUTH_CLIENT_DELETED: "{who} deleted the OAuth client {what}",
    AuditAction.OAUTH_CLIENT_MADE_DEFAULT: "{who} made the OAuth client {what} the default",
    AuditAction.ORGANIZATION_CHANGED: "{who} changed the organization {what}",
    AuditAction.ORGANIZATION_CREATED: "{who} created the organization {what}",
    AuditAction.ORGANIZATION_DELETED: "{who} deleted the organization {what}",
    AuditAction.RELEASE_PUBLISHED: "{who} published {what} of {application}",
    AuditAction.RELEASE_ROLLED_BACK: "{who} rolled {application} back to release {rolled_back_to}",
    AuditAction.RIGHT_GIVEN: "{who} gave {what} the right to {rights} {application}",
    AuditAction.RIGHT_TAKEN: "{who} took the right to {rights} {application} from {what}",
    AuditAction.SHARE_CREATED: "{who} shared release {release} of {application} with {client}",
    AuditAction.SHARE_LICENSE_CHANGED: "{who} changed the license of {application} for {client}",
    AuditAction.SHARE_RELEASED: "{who} released release {release} of {application} to {client}",
    AuditAction.SHARE_WITHDRAWN: "{who} withdrew {application} from {client}",
    AuditAction.TOKEN_KEY_RENEWED: "{who} replaced the key that signs user tokens with {what}",
    AuditAction.USER_ADDRESS_CHANGED: (
        "{who} changed the e-mail address of an account from {was} to {what}"
    ),
    AuditAction.USER_ADDRESS_CLAIMED: (
        "{who} asked to add the e-mail address {address} to the account of {what}"
    ),
    AuditAction.USER_ADDRESS_CONFIRMED: (
        "{who} confirmed the e-mail address {address} of the account of {what}"
    ),
    AuditAction.USER_ADDRESS_REMOVED: (
        "{who} removed the e-mail address {address} from the account of {what}"
    ),
    AuditAction.USER_CHANGED: "{who} changed the account of {what}",
    AuditAction.USER_CREATED: "{who} created an account for {what}",
    AuditAction.USER_DELETED: "{who} deleted the account of {what}",
    AuditAction.USER_FACTOR_ADDED: "{who} added a second factor, {kind}, to the account of {what}",
    AuditAction.USER_FACTOR_REMOVED: (
        "{who} removed a second factor, {kind}, from the account of {what}"
    ),
    AuditAction.USER_PASSWORD_CHANGED: "{who} changed the password of {what}",
    AuditAction.USER_RECOVERY_CODE_USED: "{who} used a recovery code of {what}",
    AuditAction.USER_RECOVERY_CODES_GENERATED: "{who} generated recovery codes for {what}",
    AuditAction.USER_RECOVERY_CODES_VIEWED: "{who} viewed the recovery codes of {what}",
    AuditAction.USER_SIGN_IN_FAILED: "Sign-in failed for {what}: wrong password",
    AuditAction.USER_SIGNED_IN: "{who} signed in",
    AuditAction.USER_SIGNED_OUT: "{who} signed out",
    AuditAction.WEBHOOK_CREATED: "{who} registered the webhook {what} of {application}",
    AuditAction.WEBHOOK_DELETED: "{who} deleted the webhook {what} of {application}",
    AuditAction.WEBHOOK_DISABLED: "{who} disabled the webhook {what} of {application}",
    AuditAction.WEBHOOK_ENABLED: "{who} enabled the webhook {what} of {application}",
}
#: Labels of the environments in the details of an event.
ENVIRONMENTS = {
    "all": "Development and Stage",
    "development": "Development",
    "stage": "Stage",
    "production": "Production",
}
ICONS = {
    "api_key": "key",
    "application": "apps",
    "audit": "download",
    "authorization": "key",
    "component": "function",
    "connection": "plug",
    "credential": "key",
    "installation": "download",
    "invitation": "users",
    "listing": "apps",
    "membership": "users",
    "oauth_client": "settings",
    "organization": "building",
    "release": "rocket",
    "right": "key",
    "share": "users",
    "token_key": "key",
    "user": "users",
    "webhook": "upload",
}
NOUNS = {
    "api_key": "Key",
    "audit": "Activity",
    "authorization": "Authorization",
    "membership": "Role",
    "oauth_client": "OAuth client",
    "organization": "Organization",
    "token_key": "Signing key",
    "user": "Account",
}
FACTS = {
    "instead_of": "Instead of",
    "digest": "SHA-256",
    "was": "Before",
    "all_actions": "Asks for",
    "late": "Arrived after the authorization ended",
}


@dataclass(frozen=True, kw_only=True)
class EventSentence:
    """An event as the Activity page shows it."""

    event: Event
    sentence: str
    icon: str
    act: str
    facts: list[tuple[str, str]]


def describe_event(event: Event) -> EventSentence:
    """Return an event as a sentence, with its details as pairs of name and value."""
    noun = event.action.partition(".")[0]
    return EventSentence(
        event=event,
        sentence=sentence(event),
        icon=ICONS.get(noun, "history"),
        act=act_label(event.action),
        facts=[
            (FACTS.get(name, name.replace("_", " ").capitalize()), _words(name, value))
            for name, value in event.details.items()
        ],
    )


def sentence(event: Event) -> str:
    """Return one sentence that says what happened."""
    what = event.object_label
    if event.object_type == "release":
        what = what[:1].lower() + what[1:]
    facts = _Facts(
        {name: _words(name, value) for name, value in event.details.items()},
        who="The console" if event.actor_email == SYSTEM else event.actor_email,
        what=what,
    )
    template = SENTENCES.get(event.act) if event.act else None
    return (template or "{who}: " + event.action + " {what}").format_map(facts)


def act_label(action: str) -> str:
    """Return the label of an action: "Connection: permissions changed"."""
    noun, _, done = action.partition(".")
    return f"{NOUNS.get(noun, noun.capitalize())}: {done.replace('_', ' ')}"


class _Facts(dict[str, str]):
    """Fill in a general word for details that an older version did not record."""

    def __missing__(self, name: str) -> str:
        return f"some {name}"


def _words(name: str, value: Any) -> str:
    if name == "environments" and isinstance(value, list):
        value = [ENVIRONMENTS.get(each, each) for each in value]
    if name in ("role", "was") and value in Role.values:
        return Role(value).label
    if name == "all_actions":
        return "All Actions"
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if isinstance(value, list):
        words = [str(each) for each in value]
        return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
    return str(value)
