"""Who may do what: the one table that views, querysets, middleware and tests read.

``ALLOWED`` says which role may do what, and ``GIVEN`` which of it has to be given to a person
besides; ``RULES`` names for every route who may come.
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
    #: What is distributed for the first time, to whom and for how long.
    MANAGE_CLIENTS = "clients:manage"
    CREATE_APPLICATIONS = "applications:create"
    #: In a client organization: what is authorized once for all, and what each for himself.
    AUTHORIZE_INSTALLED = "installations:authorize"
    USE_INSTALLED = "installations:use"
    MANAGE_INSTALLATIONS = "installations:manage"
    MANAGE_KEYS = "keys:manage"
    MANAGE_WEBHOOKS = "webhooks:manage"
    READ_AUDIT = "audit:read"
    #: What concerns people and their roles, and this console at its services, as well.
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
#: Of those, the roles that may do it only where it was given to the person, application by
#: application. Their role opens the door; a row (``applications.Right``) decides behind it.
GIVEN: dict[Action, frozenset[Role]] = {
    Action.PUBLISH: frozenset({Role.DEVELOPER}),
    Action.DISTRIBUTE: frozenset({Role.DEVELOPER}),
}


def given_to(action: Action) -> frozenset[Role]:
    """Return the roles that may do this only where it was given to the person."""
    return GIVEN.get(action, frozenset())


def held_by(action: Action) -> frozenset[Role]:
    """Return the roles that may do this with all that the organization owns."""
    return ALLOWED[action] - given_to(action)


class Who(Enum):
    """Whom a route admits where no action of an organization decides it."""

    PUBLIC = auto()
    SIGNED_IN = auto()
    OPERATOR = auto()


class Of(Enum):
    """What a route is about where it is about no row."""

    #: The organization that the address names, or any of the person's.
    ORGANIZATION = auto()
    #: The person, or the console itself: such a route has no organization in its address.
    NOTHING = auto()


@dataclass(frozen=True, kw_only=True)
class PolicyRow:
    """A row that the address names, and how to find whose it is.

    ``by`` is the argument of the route and the field of the row; ``person`` the field that
    makes a row one person's own, where it is not empty.
    """

    model: str
    organization: str
    by: str = "pk"
    person: str = ""


@dataclass(frozen=True)
class Rule:
    """Who may come, to what, and what others get to see: 403, or 404 where a row is hidden."""

    who: Who | Action
    of: Of | PolicyRow = Of.ORGANIZATION
    #: Why nobody has to sign in for it.
    because: str = ""
    #: Whoever runs the deployment may come as well.
    or_operator: bool = False
    #: Rows of several organizations may stand on one page: the address need not name one.
    across: bool = False

    @property
    def refusal(self) -> int:
        return 404 if isinstance(self.of, PolicyRow) else 403

    def admits(self, roles: Iterable[str], *, operator: bool) -> bool:
        """Tell whether somebody with these roles may come; whose the row is comes on top."""
        if isinstance(self.who, Action):
            allowed = not ALLOWED[self.who].isdisjoint(roles)
            return allowed or (self.or_operator and operator)
        return operator if self.who is Who.OPERATOR else True


def public(because: str) -> Rule:
    """Let everybody in, for a reason."""
    return Rule(Who.PUBLIC, Of.NOTHING, because=because)


MANAGE, MAKE, PUBLISH = Action.MANAGE_CONNECTIONS, Action.MANAGE_COMPONENTS, Action.PUBLISH
APPLICATION = PolicyRow(model="applications.Application", organization="organization")
NAMED_APPLICATION = PolicyRow(
    model="applications.Application", organization="organization", by="link_name"
)
COMPONENT = PolicyRow(model="components.Component", organization="application__organization")
CONNECTION = PolicyRow(model="connections.Connection", organization="application__organization")
DRAFT = PolicyRow(
    model="connections.Connection", organization="application__organization", person="created_by"
)
INSTALLED_CONNECTION = PolicyRow(
    model="connections.InstalledConnection", organization="organization"
)
AUTHORIZATION = PolicyRow(
    model="connections.Authorization", organization="organization", person="user"
)
FLOW = PolicyRow(model="connections.Flow", organization="organization", person="user")
API_KEY = PolicyRow(model="keys.ApiKey", organization="organization")
WEBHOOK = PolicyRow(model="webhooks.Webhook", organization="organization")
DELIVERY = PolicyRow(model="webhooks.Delivery", organization="webhook__organization")
RELEASE = PolicyRow(model="publishing.Release", organization="application__organization")
CLIENT_INVITATION = PolicyRow(model="inviting.Invitation", organization="organization")
SHARE = PolicyRow(model="distribution.Share", organization="application__organization")
OFFERED = PolicyRow(model="distribution.Share", organization="client")
PICTURE = PolicyRow(model="distribution.Picture", organization="listing__application__organization")
INSTALLATION = PolicyRow(model="publishing.Installation", organization="organization")
EVENT = PolicyRow(model="audit.Event", organization="organization")
UPLOAD = PolicyRow(model="transfer.Upload", organization="organization", person="user")

MYSELF = Rule(Who.SIGNED_IN, Of.NOTHING)
SIGNING_IN = public("Whoever signs in, or has forgotten how, is not signed in yet.")
INVITED = public("Whoever is invited has no account yet, or is not signed in.")
WATCHING = public("What watches the deployment does not sign in, and learns up or down alone.")

#: Every route by its name, or by its namespace as a whole. One that is not here is closed.
RULES: dict[str, Rule] = {
    "home": Rule(Who.SIGNED_IN),
    "application_list": Rule(MANAGE),
    "application_detail": Rule(MANAGE, NAMED_APPLICATION),
    # Components
    "component_list": Rule(MAKE, APPLICATION),
    "component_create": Rule(MAKE, APPLICATION),
    "component_detail": Rule(MAKE, COMPONENT),
    "component_save": Rule(MAKE, COMPONENT),
    "component_check": Rule(MAKE, COMPONENT),
    "component_run": Rule(MAKE, COMPONENT),
    "component_delete": Rule(MAKE, COMPONENT),
    # Connections
    "connection_list": Rule(MANAGE),
    "connector_list": Rule(MANAGE),
    "draft_start": Rule(MANAGE),
    "connection_detail": Rule(MANAGE, CONNECTION),
    "connection_setup": Rule(MANAGE, DRAFT),
    "draft_discard": Rule(MANAGE, DRAFT),
    "connection_authorize": Rule(MANAGE, CONNECTION),
    "connection_reuse": Rule(MANAGE, CONNECTION),
    "connection_permissions": Rule(MANAGE, CONNECTION),
    "connection_rename": Rule(MANAGE, CONNECTION),
    "connection_delete": Rule(MANAGE, CONNECTION),
    "connection_calls": Rule(MANAGE, CONNECTION),
    "authorization_test": Rule(MANAGE, AUTHORIZATION),
    "authorization_label": Rule(MANAGE, AUTHORIZATION),
    "authorization_revoke": Rule(MANAGE, AUTHORIZATION),
    # The same where an application is installed
    "installed_connection": Rule(Action.USE_INSTALLED, INSTALLED_CONNECTION),
    "installed_authorize": Rule(Action.USE_INSTALLED, INSTALLED_CONNECTION),
    "installed_reuse": Rule(Action.USE_INSTALLED, INSTALLED_CONNECTION),
    "installed_test": Rule(Action.USE_INSTALLED, INSTALLED_CONNECTION),
    "installed_label": Rule(Action.USE_INSTALLED, INSTALLED_CONNECTION),
    "installed_revoke": Rule(Action.USE_INSTALLED, INSTALLED_CONNECTION),
    "installed_calls": Rule(Action.AUTHORIZE_INSTALLED, INSTALLED_CONNECTION),
    # The flow
    "oauth_callback": public("To sign in, the code would have to be carried along in an address."),
    "flow_detail": Rule(Who.SIGNED_IN, FLOW),
    # It answers for a flow that is not there, too: the page that asks is ahead of the popup.
    "flow_status": Rule(Who.SIGNED_IN),
    # Keys of programs, and who opens an application
    "key_list": Rule(Action.MANAGE_KEYS, APPLICATION),
    "key_revoke": Rule(Action.MANAGE_KEYS, API_KEY),
    "application_open": Rule(MAKE, APPLICATION),
    # The same where an application is installed
    "installation_keys": Rule(Action.MANAGE_INSTALLATIONS, INSTALLATION),
    "installation_key_revoke": Rule(Action.MANAGE_INSTALLATIONS, API_KEY),
    "installation_open": Rule(Action.USE_INSTALLED, INSTALLATION),
    "jwks": public("Applications verify who came with it; nothing in it is secret."),
    # The runtime API
    "runtime": public("Programs come with a key, which every operation asks for."),
    "problem_detail": public("Whoever reads an answer of the API reads what it means."),
    # What needs a person, and who is told
    "health_list": Rule(Action.USE_INSTALLED),
    "webhook_list": Rule(Action.MANAGE_WEBHOOKS, APPLICATION),
    "webhook_test": Rule(Action.MANAGE_WEBHOOKS, WEBHOOK),
    "webhook_enable": Rule(Action.MANAGE_WEBHOOKS, WEBHOOK),
    "webhook_delete": Rule(Action.MANAGE_WEBHOOKS, WEBHOOK),
    "delivery_resend": Rule(Action.MANAGE_WEBHOOKS, DELIVERY),
    # Publishing
    "publish": Rule(PUBLISH, APPLICATION),
    "publish_preview": Rule(PUBLISH, APPLICATION),
    "release_list": Rule(PUBLISH, APPLICATION),
    "release_compare": Rule(PUBLISH, APPLICATION),
    "change_detail": Rule(PUBLISH, APPLICATION),
    "release_detail": Rule(PUBLISH, RELEASE),
    "release_roll_back": Rule(PUBLISH, RELEASE),
    # Clients, and what is shared with them
    "client_list": Rule(Action.DISTRIBUTE),
    "client_invite": Rule(Action.MANAGE_PEOPLE),
    "client_invitation_resend": Rule(Action.MANAGE_PEOPLE, CLIENT_INVITATION),
    "client_invitation_withdraw": Rule(Action.MANAGE_PEOPLE, CLIENT_INVITATION),
    "share_create": Rule(Action.MANAGE_CLIENTS, APPLICATION),
    "share_detail": Rule(Action.DISTRIBUTE, SHARE),
    "share_release": Rule(Action.DISTRIBUTE, SHARE),
    "share_license": Rule(Action.MANAGE_CLIENTS, SHARE),
    "share_withdraw": Rule(Action.MANAGE_CLIENTS, SHARE),
    "share_install": Rule(Action.MANAGE_INSTALLATIONS, OFFERED),
    # The marketplace
    "marketplace": Rule(Who.SIGNED_IN),
    "listing_detail": Rule(Who.SIGNED_IN),
    "listing_picture": Rule(Who.SIGNED_IN),
    "listing_install": Rule(Action.MANAGE_INSTALLATIONS),
    "listing_edit": Rule(Action.MANAGE_CLIENTS, APPLICATION),
    "listing_submit": Rule(Action.MANAGE_CLIENTS, APPLICATION),
    "listing_withdraw": Rule(Action.MANAGE_CLIENTS, APPLICATION),
    "picture_add": Rule(Action.MANAGE_CLIENTS, APPLICATION),
    "picture_remove": Rule(Action.MANAGE_CLIENTS, PICTURE),
    "review_list": Rule(Who.OPERATOR),
    "listing_review": Rule(Who.OPERATOR),
    # What is installed
    "installation_list": Rule(Action.USE_INSTALLED),
    "installation_detail": Rule(Action.USE_INSTALLED, INSTALLATION),
    "my_connections": Rule(Action.USE_INSTALLED, INSTALLATION),
    "installation_run": Rule(Action.USE_INSTALLED, INSTALLATION),
    "installation_update": Rule(Action.MANAGE_INSTALLATIONS, INSTALLATION),
    "installation_uninstall": Rule(Action.MANAGE_INSTALLATIONS, INSTALLATION),
    # Export and import
    "application_export": Rule(MAKE, APPLICATION),
    "application_import": Rule(Action.CREATE_APPLICATIONS),
    "upload_detail": Rule(Action.CREATE_APPLICATIONS, UPLOAD),
    "upload_confirm": Rule(Action.CREATE_APPLICATIONS, UPLOAD),
    "upload_discard": Rule(Action.CREATE_APPLICATIONS, UPLOAD),
    "schema_detail": public(
        "Programs check a file before anybody signs in; it says nothing of us."
    ),
    # Activity
    "event_list": Rule(Action.READ_AUDIT, or_operator=True),
    "event_detail": Rule(Action.READ_AUDIT, EVENT, or_operator=True),
    "event_export": Rule(Action.READ_AUDIT, or_operator=True),
    # Invitations: the token of the link decides, and whose address it was sent to.
    "invitation_open": INVITED,
    "invitation_detail": INVITED,
    # Administration narrows its rows by the same table (``PolicyAdmin``).
    "admin": Rule(Action.MANAGE_OAUTH_CLIENTS, or_operator=True, across=True),
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
    # Second factors, and where somebody is signed in
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
    # For browsers, and for whoever watches the deployment
    "favicon": public("Browsers ask for it on the page to sign in, too."),
    "healthz": WATCHING,
    "readyz": WATCHING,
    "metrics": public("A program gathers the numbers; it shows the token of METRICS_TOKEN."),
}


def rule_of(route: ResolverMatch | None) -> Rule | None:
    """Return the rule of the route that an address has led to."""
    if route is None:
        return None
    named = RULES.get(route.view_name)
    return named or (RULES.get(route.namespaces[0]) if route.namespaces else None)
