"""Events in the words of a helpful colleague."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.accounts.policy import Role
from console.audit.acts import Act
from console.audit.models import SYSTEM, Event

SENTENCES: Mapping[Act, str] = {
    Act.API_KEY_CREATED: "{who} created the key {what} of {application} for {environments}",
    Act.API_KEY_REVOKED: "{who} revoked the key {what} of {application} for {environments}",
    Act.APPLICATION_CHANGED: "{who} changed the application {what}",
    Act.APPLICATION_CREATED: "{who} created the application {what}",
    Act.APPLICATION_DELETED: "{who} deleted the application {what}",
    Act.APPLICATION_EXPORTED: "{who} exported the application {what}",
    Act.APPLICATION_IMPORTED: "{who} imported the application {what}",
    Act.AUDIT_EXPORTED: "{who} exported the activity of {what}",
    Act.AUTHORIZATION_ENDED: "{what} is not authorized as {account} any more",
    Act.AUTHORIZATION_GIVEN: "{who} authorized {what} as {account} in {environments}",
    Act.AUTHORIZATION_LABELLED: "{who} renamed the account {was} of {what} to {account}",
    Act.AUTHORIZATION_RECOVERED: "{what} works again as {account}",
    Act.AUTHORIZATION_REPLACED: "{who} authorized {what} anew as {account} in {environments}",
    Act.AUTHORIZATION_REUSED: "{who} let {what} use the account {account} in {environments}",
    Act.AUTHORIZATION_RESTORED: "{what} may use the account {account} in {environments} again",
    Act.AUTHORIZATION_REVOKED: "{who} revoked the authorization of {what} in {environments}",
    Act.AUTHORIZATION_SUSPENDED: "{what} may not use {account} in {environments} for now",
    Act.COMPONENT_CREATED: "{who} created the {kind} {what} in {application}",
    Act.COMPONENT_DELETED: "{who} deleted the {kind} {what} from {application}",
    Act.COMPONENT_SAVED: "{who} changed the {kind} {what} in {application}",
    Act.CONNECTION_CREATED: "{who} created the connection {what} in {application}",
    Act.CONNECTION_DELETED: "{who} deleted the connection {what} from {application}",
    Act.CONNECTION_PERMISSIONS_CHANGED: "{who} changed the permissions of the connection {what}",
    Act.CONNECTION_RENAMED: "{who} renamed the connection {was} to {what}",
    Act.CREDENTIAL_REVOCATION_ASKED: "Revocation of the access of {what} at {service}: {answer}",
    Act.INSTALLATION_CREATED: "{who} installed {application} in {client}, at release {release}",
    Act.INSTALLATION_REMOVED: "{who} uninstalled {application} from {client}",
    Act.INSTALLATION_UPDATE_LEFT: "{who} left release {left} of {application} in {client}",
    Act.INSTALLATION_UPDATED: "{who} updated {application} in {client} to release {release}",
    Act.INVITATION_ACCEPTED: "{who} accepted the invitation to {organization}",
    Act.INVITATION_RESENT: "{who} sent the invitation of {what} anew",
    Act.INVITATION_SENT: "{who} invited {what} as {role}",
    Act.INVITATION_WITHDRAWN: "{who} withdrew the invitation of {what}",
    Act.LISTING_PUBLISHED: "{who} published {what} in the marketplace",
    Act.LISTING_REFUSED: "{who} refused {what} in the marketplace",
    Act.LISTING_SAVED: "{who} changed what the marketplace is to say of {application}",
    Act.LISTING_SUBMITTED: "{who} submitted {what} to the marketplace",
    Act.LISTING_WITHDRAWN: "{who} took {what} out of the marketplace",
    Act.MEMBERSHIP_CHANGED: "{who} made {what} {role}",
    Act.MEMBERSHIP_CREATED: "{who} added {what} as {role}",
    Act.MEMBERSHIP_DEACTIVATED: "{who} deactivated {what}",
    Act.MEMBERSHIP_DELETED: "{who} took {what} out of the organisation",
    Act.MEMBERSHIP_REACTIVATED: "{who} let {what} in again",
    Act.OAUTH_CLIENT_CHANGED: "{who} changed the OAuth client {what}",
    Act.OAUTH_CLIENT_CREATED: "{who} registered the OAuth client {what}",
    Act.OAUTH_CLIENT_DELETED: "{who} deleted the OAuth client {what}",
    Act.ORGANIZATION_CHANGED: "{who} changed the organisation {what}",
    Act.ORGANIZATION_CREATED: "{who} created the organisation {what}",
    Act.ORGANIZATION_DELETED: "{who} deleted the organisation {what}",
    Act.RELEASE_PUBLISHED: "{who} published {what} of {application}",
    Act.RELEASE_ROLLED_BACK: "{who} rolled {application} back to release {rolled_back_to}",
    Act.RIGHT_GIVEN: "{who} gave {what} the right to {rights} {application}",
    Act.RIGHT_TAKEN: "{who} took the right to {rights} {application} from {what}",
    Act.SHARE_CREATED: "{who} shared release {release} of {application} with {client}",
    Act.SHARE_LICENCE_CHANGED: "{who} changed the licence of {application} for {client}",
    Act.SHARE_RELEASED: "{who} released release {release} of {application} to {client}",
    Act.SHARE_WITHDRAWN: "{who} withdrew {application} from {client}",
    Act.TOKEN_KEY_RENEWED: "{who} signs tokens of people with the new key {what}",
    Act.USER_ADDRESS_CHANGED: "{who} changed the address of an account from {was} to {what}",
    Act.USER_ADDRESS_CLAIMED: "{who} asked to add the address {address} to the account of {what}",
    Act.USER_ADDRESS_CONFIRMED: "{who} confirmed the address {address} of the account of {what}",
    Act.USER_ADDRESS_REMOVED: "{who} removed the address {address} from the account of {what}",
    Act.USER_CHANGED: "{who} changed the account of {what}",
    Act.USER_CREATED: "{who} made an account for {what}",
    Act.USER_DELETED: "{who} deleted the account of {what}",
    Act.USER_FACTOR_ADDED: "{who} added a second factor, {kind}, to the account of {what}",
    Act.USER_FACTOR_REMOVED: "{who} removed a second factor, {kind}, from the account of {what}",
    Act.USER_PASSWORD_CHANGED: "{who} changed the password of {what}",
    Act.USER_RECOVERY_CODE_USED: "{who} used a recovery code of {what}",
    Act.USER_RECOVERY_CODES_GENERATED: "{who} generated recovery codes for {what}",
    Act.USER_RECOVERY_CODES_VIEWED: "{who} viewed the recovery codes of {what}",
    Act.USER_SIGN_IN_FAILED: "Somebody gave a wrong password for {what}",
    Act.USER_SIGNED_IN: "{who} signed in",
    Act.USER_SIGNED_OUT: "{who} signed out",
    Act.WEBHOOK_CREATED: "{who} registered the webhook {what} of {application}",
    Act.WEBHOOK_DELETED: "{who} deleted the webhook {what} of {application}",
    Act.WEBHOOK_DISABLED: "{who} switched off the webhook {what} of {application}",
    Act.WEBHOOK_ENABLED: "{who} switched on the webhook {what} of {application}",
}
#: Environments as :mod:`connections.standing` writes them, which stands above this room.
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
    "organization": "Organisation",
    "token_key": "Signing key",
    "user": "Account",
}
FACTS = {
    "instead_of": "Instead of",
    "digest": "SHA-256",
    "was": "Before",
    "all_actions": "Asks for",
    "late": "Came after the authorization had ended",
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """An event as the page shows it."""

    event: Event
    sentence: str
    icon: str
    act: str
    facts: list[tuple[str, str]]


def told(event: Event) -> Told:
    """Say an event in words, with its details as pairs of name and value."""
    noun = event.action.partition(".")[0]
    return Told(
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
    """Say in one sentence what happened."""
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
    """Name an act for a person: "Connection: permissions changed"."""
    noun, _, done = action.partition(".")
    return f"{NOUNS.get(noun, noun.capitalize())}: {done.replace('_', ' ')}"


class _Facts(dict[str, str]):
    """What an older version did not write down is named in general."""

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
