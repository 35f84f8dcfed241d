"""Access policy: which roles may do what, and who may open which route.

This table is the single source for views, querysets, middleware and tests:

- ``ALLOWED`` maps each action to the roles that may do it.
- ``NEEDS_RIGHT`` lists the roles in ``ALLOWED`` that also need a right for the application.
- ``RULES`` maps each route to the people who may open it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from django.urls import ResolverMatch

from console.choices import Role


class Action(StrEnum):
    """Something a person may be allowed to do with what an organization owns."""

    MANAGE_CONNECTIONS = "connections:manage"
    MANAGE_COMPONENTS = "components:manage"
    PUBLISH = "releases:publish"
    DISTRIBUTE = "releases:distribute"
    MANAGE_OAUTH_CLIENTS = "oauth_clients:manage"
    MANAGE_PEOPLE = "people:manage"
    #: Which clients get an application, and for how long: shares, licenses, listings.
    MANAGE_CLIENTS = "clients:manage"
    CREATE_APPLICATIONS = "applications:create"
    #: In a client organization: authorize for all its users, or only use what is installed.
    AUTHORIZE_INSTALLED = "installations:authorize"
    USE_INSTALLED = "installations:use"
    MANAGE_INSTALLATIONS = "installations:manage"
    MANAGE_KEYS = "keys:manage"
    MANAGE_WEBHOOKS = "webhooks:manage"
    READ_AUDIT = "audit:read"
    #: Also the events about people, roles and OAuth clients.
    READ_AUDIT_OF_PEOPLE = "audit:read_people"


ALLOWED: dict[Action, frozenset[Role]] = {
    Action.MANAGE_CONNECTIONS: frozenset({Role.SUPER_ADMIN, Role.DEVELOPER}),
    Action.MANAGE_COMPONENTS: frozenset({Role.SUPER_ADMIN, Role.DEVELOPER}),
    Action.PUBLISH: frozenset({Role.SUPER_ADMIN, Role.DEVELOPER}),
    Action.DISTRIBUTE: frozenset({Role.SUPER_ADMIN, Role.DEVELOPER}),
    Action.MANAGE_OAUTH_CLIENTS: frozenset({Role.SUPER_ADMIN}),
    Action.MANAGE_PEOPLE: frozenset({Role.SUPER_ADMIN}),
    Action.MANAGE_CLIENTS: frozenset({Role.SUPER_ADMIN}),
    Action.CREATE_APPLICATIONS: frozenset({Role.SUPER_ADMIN}),
    Action.AUTHORIZE_INSTALLED: frozenset({Role.SUPER_ADMIN, Role.ADMIN, Role.DEVELOPER}),
    Action.USE_INSTALLED: frozenset(Role),
    Action.MANAGE_INSTALLATIONS: frozenset({Role.SUPER_ADMIN}),
    Action.MANAGE_KEYS: frozenset({Role.SUPER_ADMIN, Role.DEVELOPER}),
    Action.MANAGE_WEBHOOKS: frozenset({Role.SUPER_ADMIN, Role.DEVELOPER}),
    Action.READ_AUDIT: frozenset({Role.SUPER_ADMIN, Role.ADMIN, Role.DEVELOPER}),
    Action.READ_AUDIT_OF_PEOPLE: frozenset({Role.SUPER_ADMIN, Role.ADMIN}),
}
#: The roles in ``ALLOWED`` that need a right as well (``applications.Right``): a super admin
#: gives it to a person for one application. The role opens the route, the right the application.
NEEDS_RIGHT: dict[Action, frozenset[Role]] = {
    Action.PUBLISH: frozenset({Role.DEVELOPER}),
    Action.DISTRIBUTE: frozenset({Role.DEVELOPER}),
}


def roles_needing_right(action: Action) -> frozenset[Role]:
    """Return the roles that may do this only in applications for which they have the right."""
    return NEEDS_RIGHT.get(action, frozenset())


def roles_for(action: Action) -> frozenset[Role]:
    """Return the roles that may do this with everything that the organization owns."""
    return ALLOWED[action] - roles_needing_right(action)


class Audience(Enum):
    """Who may open a route that no action decides."""

    PUBLIC = auto()
    SIGNED_IN = auto()
    OPERATOR = auto()


class Target(Enum):
    """What a route is about if its URL names no row."""

    #: The active organization or, without one in the URL, any organization of the person.
    ORGANIZATION = auto()
    #: The person, or the console itself. The URL of such a route has no organization.
    NONE = auto()


@dataclass(frozen=True, kw_only=True)
class RowTarget:
    """The row that a URL names, and the lookup from it to its organization.

    ``by`` is the name of both the route's argument and the row's field. ``person`` is the field
    with the row's owner; if that field is not empty, only the owner sees the row.
    """

    model: str
    organization: str
    by: str = "pk"
    person: str = ""


@dataclass(frozen=True)
class RouteRule:
    """Who may open a route, and what the route is about."""

    audience: Audience | Action
    target: Target | RowTarget = Target.ORGANIZATION
    #: Why the route needs no sign-in.
    reason: str = ""
    #: The operator of the deployment may open the route as well.
    operator_too: bool = False
    #: The page can show rows of several organizations, so its URL need not name one.
    any_organization: bool = False

    @property
    def denied_status(self) -> int:
        """Return 404 for a row, whose existence stays hidden, and 403 otherwise."""
        return 404 if isinstance(self.target, RowTarget) else 403

    def allows(self, roles: Iterable[str], *, operator: bool) -> bool:
        """Tell whether people with these roles may open the route.

        Querysets check separately which rows the person may reach.
        """
        if isinstance(self.audience, Action):
            allowed = not ALLOWED[self.audience].isdisjoint(roles)
            return allowed or (self.operator_too and operator)
        return operator if self.audience is Audience.OPERATOR else True


def public(reason: str) -> RouteRule:
    """Return the rule of a route that needs no sign-in."""
    return RouteRule(Audience.PUBLIC, Target.NONE, reason=reason)


MANAGE, MAKE, PUBLISH = Action.MANAGE_CONNECTIONS, Action.MANAGE_COMPONENTS, Action.PUBLISH
APPLICATION = RowTarget(model="applications.Application", organization="organization")
NAMED_APPLICATION = RowTarget(
    model="applications.Application", organization="organization", by="link_name"
)
COMPONENT = RowTarget(model="components.Component", organization="application__organization")
CONNECTION = RowTarget(model="connections.Connection", organization="application__organization")
BULK_RUN = RowTarget(model="connections.BulkRun", organization="organization", person="user")
DRAFT = RowTarget(
    model="connections.Connection", organization="application__organization", person="created_by"
)
INSTALLED_CONNECTION = RowTarget(
    model="connections.InstalledConnection", organization="organization"
)
AUTHORIZATION = RowTarget(
    model="connections.Authorization", organization="organization", person="user"
)
OAUTH_CLIENT = RowTarget(model="connections.OAuthClient", organization="organization")
ANY_AUTHORIZATION = RowTarget(model="connections.Authorization", organization="organization")
PENDING_GRANT = RowTarget(
    model="connections.PendingGrant", organization="organization", person="user"
)
FLOW = RowTarget(model="connections.Flow", organization="organization", person="user")
API_KEY = RowTarget(model="keys.ApiKey", organization="organization")
WEBHOOK = RowTarget(model="webhooks.Webhook", organization="organization")
DELIVERY = RowTarget(model="webhooks.Delivery", organization="webhook__organization")
RELEASE = RowTarget(model="publishing.Release", organization="application__organization")
CLIENT_INVITATION = RowTarget(model="inviting.Invitation", organization="organization")
MEMBER = RowTarget(model="accounts.Membership", organization="organization")
SAVED_FILTER = RowTarget(
    model="saved_filters.SavedFilter", organization="organization", person="user"
)
SHARE = RowTarget(model="distribution.Share", organization="application__organization")
OFFERED = RowTarget(model="distribution.Share", organization="client")
PICTURE = RowTarget(model="distribution.Picture", organization="listing__application__organization")
INSTALLATION = RowTarget(model="publishing.Installation", organization="organization")
EVENT = RowTarget(model="audit.Event", organization="organization")
UPLOAD = RowTarget(model="transfer.Upload", organization="organization", person="user")

MYSELF = RouteRule(Audience.SIGNED_IN, Target.NONE)
SIGNING_IN = public("People who sign in or reset their password are not signed in yet.")
INVITED = public("Invited people may have no account yet.")
MANAGE_CLIENT = RouteRule(Action.MANAGE_OAUTH_CLIENTS, OAUTH_CLIENT, operator_too=True)
WATCHING = public("Monitoring does not sign in. The answer says only up or down.")

#: Rules by route name, or by namespace for all its routes. A route without a rule is closed.
RULES: dict[str, RouteRule] = {
    "home": RouteRule(Audience.SIGNED_IN),
    "application_list": RouteRule(MANAGE),
    "application_detail": RouteRule(MANAGE, NAMED_APPLICATION),
    "application_map": RouteRule(MANAGE, NAMED_APPLICATION),
    "application_create": RouteRule(Action.CREATE_APPLICATIONS),
    "application_settings": RouteRule(Action.CREATE_APPLICATIONS, APPLICATION),
    "application_delete": RouteRule(Action.CREATE_APPLICATIONS, APPLICATION),
    "application_unpublished": RouteRule(MANAGE, NAMED_APPLICATION),
    # Components
    "component_list": RouteRule(MAKE, APPLICATION),
    "component_create": RouteRule(MAKE, APPLICATION),
    "component_detail": RouteRule(MAKE, COMPONENT),
    "component_save": RouteRule(MAKE, COMPONENT),
    "component_check": RouteRule(MAKE, COMPONENT),
    "component_run": RouteRule(MAKE, COMPONENT),
    "component_delete": RouteRule(MAKE, COMPONENT),
    # Connections
    "connection_list": RouteRule(MANAGE),
    "bulk_preview": RouteRule(MANAGE),
    "bulk_run": RouteRule(MANAGE, BULK_RUN),
    "bulk_continue": RouteRule(MANAGE, BULK_RUN),
    "connector_list": RouteRule(MANAGE),
    "draft_start": RouteRule(MANAGE),
    "connection_detail": RouteRule(MANAGE, CONNECTION),
    "connection_setup": RouteRule(MANAGE, DRAFT),
    "draft_discard": RouteRule(MANAGE, DRAFT),
    "connection_authorize": RouteRule(MANAGE, CONNECTION),
    "connection_reuse": RouteRule(MANAGE, CONNECTION),
    "connection_permissions": RouteRule(MANAGE, CONNECTION),
    "connection_oauth_client": RouteRule(MANAGE, CONNECTION),
    "connection_rename": RouteRule(MANAGE, CONNECTION),
    "connection_level": RouteRule(MANAGE, CONNECTION),
    "connection_people": RouteRule(MANAGE, CONNECTION),
    "connection_edit": RouteRule(MANAGE, CONNECTION),
    "connection_disable": RouteRule(MANAGE, CONNECTION),
    "connection_enable": RouteRule(MANAGE, CONNECTION),
    "connection_delete": RouteRule(MANAGE, CONNECTION),
    "connection_calls": RouteRule(MANAGE, CONNECTION),
    "authorization_test": RouteRule(MANAGE, AUTHORIZATION),
    "authorization_label": RouteRule(MANAGE, AUTHORIZATION),
    "authorization_revoke": RouteRule(MANAGE, AUTHORIZATION),
    "authorization_revoke_for": RouteRule(Action.MANAGE_PEOPLE, ANY_AUTHORIZATION),
    # Connections of installed applications
    "installed_connection": RouteRule(Action.USE_INSTALLED, INSTALLED_CONNECTION),
    "installed_authorize": RouteRule(Action.USE_INSTALLED, INSTALLED_CONNECTION),
    "installed_reuse": RouteRule(Action.USE_INSTALLED, INSTALLED_CONNECTION),
    "installed_test": RouteRule(Action.USE_INSTALLED, INSTALLED_CONNECTION),
    "installed_label": RouteRule(Action.USE_INSTALLED, INSTALLED_CONNECTION),
    "installed_revoke": RouteRule(Action.USE_INSTALLED, INSTALLED_CONNECTION),
    "installed_people": RouteRule(Action.AUTHORIZE_INSTALLED, INSTALLED_CONNECTION),
    "installed_calls": RouteRule(Action.AUTHORIZE_INSTALLED, INSTALLED_CONNECTION),
    # OAuth clients
    "oauth_client_list": RouteRule(Action.MANAGE_OAUTH_CLIENTS, operator_too=True),
    "oauth_client_services": RouteRule(Action.MANAGE_OAUTH_CLIENTS, operator_too=True),
    "oauth_client_create": RouteRule(Action.MANAGE_OAUTH_CLIENTS, operator_too=True),
    "oauth_client_detail": MANAGE_CLIENT,
    "oauth_client_test": MANAGE_CLIENT,
    "oauth_client_default": MANAGE_CLIENT,
    "oauth_client_move": MANAGE_CLIENT,
    "oauth_client_delete": MANAGE_CLIENT,
    # The OAuth flow
    "oauth_callback": public(
        "A redirect to sign-in would put the authorization code into another URL."
    ),
    "account_replace": RouteRule(Audience.SIGNED_IN, PENDING_GRANT),
    "flow_detail": RouteRule(Audience.SIGNED_IN, FLOW),
    # No row: the page may poll, or cancel, before the popup has created the flow.
    "flow_status": RouteRule(Audience.SIGNED_IN),
    "flow_cancel": RouteRule(Audience.SIGNED_IN),
    # API keys, and opening an application
    "key_list": RouteRule(Action.MANAGE_KEYS, APPLICATION),
    "key_revoke": RouteRule(Action.MANAGE_KEYS, API_KEY),
    "application_open": RouteRule(MAKE, APPLICATION),
    # API keys of installed applications
    "installation_keys": RouteRule(Action.MANAGE_INSTALLATIONS, INSTALLATION),
    "installation_key_revoke": RouteRule(Action.MANAGE_INSTALLATIONS, API_KEY),
    "installation_open": RouteRule(Action.USE_INSTALLED, INSTALLATION),
    "jwks": public("Applications verify user tokens with it. It holds public keys only."),
    # The runtime API
    "runtime": public("Programs do not sign in: every operation checks their API key."),
    "gateway_route": public("nginx proves with each message that it knows GATEWAY_SECRET."),
    "gateway_calls": public("nginx proves with each message that it knows GATEWAY_SECRET."),
    "problem_detail": public("Problem documents of the API link to this page."),
    # Health and webhooks
    "health_list": RouteRule(Action.USE_INSTALLED),
    "webhook_list": RouteRule(Action.MANAGE_WEBHOOKS, APPLICATION),
    "webhook_test": RouteRule(Action.MANAGE_WEBHOOKS, WEBHOOK),
    "webhook_enable": RouteRule(Action.MANAGE_WEBHOOKS, WEBHOOK),
    "webhook_delete": RouteRule(Action.MANAGE_WEBHOOKS, WEBHOOK),
    "delivery_resend": RouteRule(Action.MANAGE_WEBHOOKS, DELIVERY),
    # Publishing
    "publish": RouteRule(PUBLISH, APPLICATION),
    "publish_preview": RouteRule(PUBLISH, APPLICATION),
    "release_list": RouteRule(PUBLISH, APPLICATION),
    "release_compare": RouteRule(PUBLISH, APPLICATION),
    "change_detail": RouteRule(PUBLISH, APPLICATION),
    "release_detail": RouteRule(PUBLISH, RELEASE),
    "release_roll_back": RouteRule(PUBLISH, RELEASE),
    # People, and the invitations of people
    "person_list": RouteRule(Action.MANAGE_PEOPLE),
    "person_detail": RouteRule(Action.MANAGE_PEOPLE, MEMBER),
    "person_role": RouteRule(Action.MANAGE_PEOPLE, MEMBER),
    "person_rights": RouteRule(Action.MANAGE_PEOPLE, MEMBER),
    "person_deactivate": RouteRule(Action.MANAGE_PEOPLE, MEMBER),
    "person_reactivate": RouteRule(Action.MANAGE_PEOPLE, MEMBER),
    "person_remove": RouteRule(Action.MANAGE_PEOPLE, MEMBER),
    "member_invitations": RouteRule(Action.MANAGE_PEOPLE),
    "member_invite": RouteRule(Action.MANAGE_PEOPLE),
    "member_invitation_resend": RouteRule(Action.MANAGE_PEOPLE, CLIENT_INVITATION),
    "member_invitation_withdraw": RouteRule(Action.MANAGE_PEOPLE, CLIENT_INVITATION),
    # Clients and shares
    "client_list": RouteRule(Action.DISTRIBUTE),
    "client_invite": RouteRule(Action.MANAGE_PEOPLE),
    "client_invitation_resend": RouteRule(Action.MANAGE_PEOPLE, CLIENT_INVITATION),
    "client_invitation_withdraw": RouteRule(Action.MANAGE_PEOPLE, CLIENT_INVITATION),
    "share_create": RouteRule(Action.MANAGE_CLIENTS, APPLICATION),
    "share_detail": RouteRule(Action.DISTRIBUTE, SHARE),
    "share_release": RouteRule(Action.DISTRIBUTE, SHARE),
    "share_license": RouteRule(Action.MANAGE_CLIENTS, SHARE),
    "share_withdraw": RouteRule(Action.MANAGE_CLIENTS, SHARE),
    "share_install": RouteRule(Action.MANAGE_INSTALLATIONS, OFFERED),
    # The marketplace
    "marketplace": RouteRule(Audience.SIGNED_IN),
    "listing_detail": RouteRule(Audience.SIGNED_IN),
    "listing_picture": RouteRule(Audience.SIGNED_IN),
    "listing_install": RouteRule(Action.MANAGE_INSTALLATIONS),
    "listing_edit": RouteRule(Action.MANAGE_CLIENTS, APPLICATION),
    "listing_submit": RouteRule(Action.MANAGE_CLIENTS, APPLICATION),
    "listing_withdraw": RouteRule(Action.MANAGE_CLIENTS, APPLICATION),
    "picture_add": RouteRule(Action.MANAGE_CLIENTS, APPLICATION),
    "picture_remove": RouteRule(Action.MANAGE_CLIENTS, PICTURE),
    "review_list": RouteRule(Audience.OPERATOR),
    "listing_review": RouteRule(Audience.OPERATOR),
    # Installations
    "installation_list": RouteRule(Action.USE_INSTALLED),
    "installation_detail": RouteRule(Action.USE_INSTALLED, INSTALLATION),
    "my_connections": RouteRule(Action.USE_INSTALLED, INSTALLATION),
    "installation_run": RouteRule(Action.USE_INSTALLED, INSTALLATION),
    "installation_update": RouteRule(Action.MANAGE_INSTALLATIONS, INSTALLATION),
    "installation_uninstall": RouteRule(Action.MANAGE_INSTALLATIONS, INSTALLATION),
    # Export and import
    "application_export": RouteRule(MAKE, APPLICATION),
    "application_import": RouteRule(Action.CREATE_APPLICATIONS),
    "upload_detail": RouteRule(Action.CREATE_APPLICATIONS, UPLOAD),
    "upload_confirm": RouteRule(Action.CREATE_APPLICATIONS, UPLOAD),
    "upload_discard": RouteRule(Action.CREATE_APPLICATIONS, UPLOAD),
    "schema_detail": public(
        "Programs validate files with the schema. It holds no data of this console."
    ),
    # Saved filters
    "saved_filter_create": RouteRule(Audience.SIGNED_IN),
    "saved_filter_edit": RouteRule(Audience.SIGNED_IN, SAVED_FILTER),
    "saved_filter_delete": RouteRule(Audience.SIGNED_IN, SAVED_FILTER),
    # Search, guides and the API reference
    "search": RouteRule(Audience.SIGNED_IN),
    "guide_list": RouteRule(Audience.SIGNED_IN),
    "guide_detail": RouteRule(Audience.SIGNED_IN),
    "api_reference": RouteRule(Audience.SIGNED_IN),
    # Activity
    "event_list": RouteRule(Action.READ_AUDIT, operator_too=True),
    "event_detail": RouteRule(Action.READ_AUDIT, EVENT, operator_too=True),
    "event_export": RouteRule(Action.READ_AUDIT, operator_too=True),
    # Invitations: the token in the link decides.
    "invitation_open": INVITED,
    "invitation_detail": INVITED,
    # ``PolicyAdmin`` limits the rows of each page by the same table.
    "admin": RouteRule(Action.MANAGE_OAUTH_CLIENTS, operator_too=True, any_organization=True),
    # Signing in
    "account_login": SIGNING_IN,
    "account_logout": SIGNING_IN,
    "account_inactive": SIGNING_IN,
    "account_signup": SIGNING_IN,
    "account_reauthenticate": MYSELF,
    "account_email": MYSELF,
    "account_email_verification_sent": SIGNING_IN,
    "account_change_password": MYSELF,
    "account_set_password": MYSELF,
    "account_reset_password": SIGNING_IN,
    "account_confirm_login_code": SIGNING_IN,
    "account_reset_password_from_key_done": SIGNING_IN,
    "account_reset_password_from_key": SIGNING_IN,
    "account_reset_password_done": SIGNING_IN,
    # Second factors and sessions
    "security": MYSELF,
    "mfa_authenticate": SIGNING_IN,
    "mfa_index": MYSELF,
    "mfa_reauthenticate": MYSELF,
    "mfa_activate_totp": MYSELF,
    "mfa_deactivate_totp": MYSELF,
    "mfa_view_recovery_codes": MYSELF,
    "mfa_generate_recovery_codes": MYSELF,
    "mfa_download_recovery_codes": MYSELF,
    "mfa_list_webauthn": MYSELF,
    "mfa_add_webauthn": MYSELF,
    "mfa_reauthenticate_webauthn": MYSELF,
    "mfa_remove_webauthn": MYSELF,
    "mfa_edit_webauthn": MYSELF,
    "usersessions_list": MYSELF,
    "form_return": MYSELF,
    "demo_account": MYSELF,
    # Browsers and monitoring
    "favicon": public("Browsers request it on the sign-in page."),
    "manifest": public("Browsers request it on the sign-in page, and without cookies."),
    "healthz": WATCHING,
    "readyz": WATCHING,
    "metrics": public("Metrics collectors do not sign in: they send METRICS_TOKEN."),
}


def rule_for(route: ResolverMatch | None) -> RouteRule | None:
    """Return the rule of a resolved route."""
    if route is None:
        return None
    named = RULES.get(route.view_name)
    return named or (RULES.get(route.namespaces[0]) if route.namespaces else None)
