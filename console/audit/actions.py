"""The actions that the audit log records, with the names used in rows, exports and filters."""

from __future__ import annotations

from enum import StrEnum


class AuditAction(StrEnum):
    """Recorded actions, in alphabetical order. Never rename one: events store the value."""

    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    APPLICATION_CHANGED = "application.changed"
    APPLICATION_CREATED = "application.created"
    APPLICATION_DELETED = "application.deleted"
    APPLICATION_EXPORTED = "application.exported"
    APPLICATION_IMPORTED = "application.imported"
    AUDIT_EXPORTED = "audit.exported"
    AUTHORIZATION_ENDED = "authorization.ended"
    AUTHORIZATION_GIVEN = "authorization.given"
    AUTHORIZATION_LABELED = "authorization.labeled"
    AUTHORIZATION_RECOVERED = "authorization.recovered"
    AUTHORIZATION_REPLACED = "authorization.replaced"
    AUTHORIZATION_RESTORED = "authorization.restored"
    AUTHORIZATION_REUSED = "authorization.reused"
    AUTHORIZATION_REVOKED = "authorization.revoked"
    AUTHORIZATION_SUSPENDED = "authorization.suspended"
    COMPONENT_CREATED = "component.created"
    COMPONENT_DELETED = "component.deleted"
    COMPONENT_SAVED = "component.saved"
    CONNECTION_CREATED = "connection.created"
    CONNECTION_DELETED = "connection.deleted"
    CONNECTION_DESCRIBED = "connection.described"
    CONNECTION_DISABLED = "connection.disabled"
    CONNECTION_ENABLED = "connection.enabled"
    CONNECTION_LEVEL_CHANGED = "connection.level_changed"
    CONNECTION_OAUTH_CLIENT_CHANGED = "connection.oauth_client_changed"
    CONNECTION_OWNER_CHANGED = "connection.owner_changed"
    CONNECTION_PERMISSIONS_CHANGED = "connection.permissions_changed"
    CONNECTION_RENAMED = "connection.renamed"
    CONNECTION_TAGGED = "connection.tagged"
    CREDENTIAL_REVOCATION_ASKED = "credential.revocation_asked"
    INSTALLATION_CREATED = "installation.created"
    INSTALLATION_REMOVED = "installation.removed"
    INSTALLATION_UPDATE_LEFT = "installation.update_left"
    INSTALLATION_UPDATED = "installation.updated"
    INVITATION_ACCEPTED = "invitation.accepted"
    INVITATION_RESENT = "invitation.resent"
    INVITATION_SENT = "invitation.sent"
    INVITATION_WITHDRAWN = "invitation.withdrawn"
    LISTING_PUBLISHED = "listing.published"
    LISTING_REFUSED = "listing.refused"
    LISTING_SAVED = "listing.saved"
    LISTING_SUBMITTED = "listing.submitted"
    LISTING_WITHDRAWN = "listing.withdrawn"
    MEMBERSHIP_CHANGED = "membership.changed"
    MEMBERSHIP_CREATED = "membership.created"
    MEMBERSHIP_DEACTIVATED = "membership.deactivated"
    MEMBERSHIP_DELETED = "membership.deleted"
    MEMBERSHIP_REACTIVATED = "membership.reactivated"
    OAUTH_CLIENT_CHANGED = "oauth_client.changed"
    OAUTH_CLIENT_CREATED = "oauth_client.created"
    OAUTH_CLIENT_DELETED = "oauth_client.deleted"
    OAUTH_CLIENT_MADE_DEFAULT = "oauth_client.made_default"
    ORGANIZATION_CHANGED = "organization.changed"
    ORGANIZATION_CREATED = "organization.created"
    ORGANIZATION_DELETED = "organization.deleted"
    RELEASE_PUBLISHED = "release.published"
    RELEASE_ROLLED_BACK = "release.rolled_back"
    RIGHT_GIVEN = "right.given"
    RIGHT_TAKEN = "right.taken"
    SHARE_CREATED = "share.created"
    SHARE_LICENSE_CHANGED = "share.license_changed"
    SHARE_RELEASED = "share.released"
    SHARE_WITHDRAWN = "share.withdrawn"
    TOKEN_KEY_RENEWED = "token_key.renewed"
    USER_ADDRESS_CHANGED = "user.address_changed"
    USER_ADDRESS_CLAIMED = "user.address_claimed"
    USER_ADDRESS_CONFIRMED = "user.address_confirmed"
    USER_ADDRESS_REMOVED = "user.address_removed"
    USER_CHANGED = "user.changed"
    USER_CREATED = "user.created"
    USER_DELETED = "user.deleted"
    USER_FACTOR_ADDED = "user.factor_added"
    USER_FACTOR_REMOVED = "user.factor_removed"
    USER_PASSWORD_CHANGED = "user.password_changed"
    USER_RECOVERY_CODE_USED = "user.recovery_code_used"
    USER_RECOVERY_CODES_GENERATED = "user.recovery_codes_generated"
    USER_RECOVERY_CODES_VIEWED = "user.recovery_codes_viewed"
    USER_SIGN_IN_FAILED = "user.sign_in_failed"
    USER_SIGNED_IN = "user.signed_in"
    USER_SIGNED_OUT = "user.signed_out"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_DISABLED = "webhook.disabled"
    WEBHOOK_ENABLED = "webhook.enabled"


#: Types of objects that developers work on. Developers may read the events about these.
BUILT = (
    "api_key",
    "application",
    "component",
    "connection",
    "credential",
    "installation",
    "listing",
    "release",
    "share",
    "webhook",
)
