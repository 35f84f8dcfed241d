"""How the tests visit each route.

Each route has one entry here and one rule in the policy table, which says who may open it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse

from console.accounts.policy import RULES, RouteRule


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What a visit sends, and the status for people who may open the route."""

    method: str = "get"
    #: The other methods that the view accepts.
    also: tuple[str, ...] = ()
    status: int = 200
    #: The status of a public route for people who are not signed in.
    anonymous: int = 200
    #: The name of the row in the URL.
    row: str = ""
    #: The identity that owns the row, if only one person may see it.
    person: str = ""
    #: The operator sees the row without belonging to its organization.
    operator_sees: bool = False
    arguments: tuple[Any, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    #: The status for each environment that the request may name.
    environments: Mapping[str, int] = field(default_factory=dict)
    #: The view belongs to another package, which may answer other methods as it likes.
    foreign: bool = False
    #: Cookies have no effect, so there is no CSRF token.
    has_cookies: bool = True

    @property
    def methods(self) -> tuple[str, ...]:
        return (self.method, *self.also)


PAGE = Visit()
#: allauth's own pages; some redirect if there is nothing to do.
FOREIGN = Visit(foreign=True)
REDIRECTS = Visit(status=302, foreign=True)
#: A page of a second factor that the person does not have.
NO_SUCH_FACTOR = Visit(status=404, foreign=True)
RUN_IN = {"development": 200, "stage": 422, "production": 422, "elsewhere": 422}
AUTHORIZED_FOR = dict.fromkeys(("development", "stage", "production", "all", "elsewhere"), 200)

VISITS: dict[str, Visit] = {
    "home": PAGE,
    "application_list": PAGE,
    "application_detail": Visit(arguments=("field_service",)),
    "application_map": Visit(arguments=("field_service",)),
    "application_create": Visit(also=("post",)),
    "application_settings": Visit(also=("post",), row="application"),
    "application_delete": Visit(also=("post",), row="application"),
    "application_unpublished": Visit(arguments=("field_service",)),
    "component_list": Visit(row="application"),
    "component_create": Visit(also=("post",), row="application"),
    "component_detail": Visit(row="component"),
    "component_save": Visit(
        method="post",
        status=303,
        row="component",
        data={"name": "Other", "definition": "{}", "version": "1"},
    ),
    "component_check": Visit(method="post", row="component"),
    "component_run": Visit(
        method="post",
        row="component",
        data={"environment": "development"},
        environments=RUN_IN,
    ),
    "component_delete": Visit(also=("post",), row="component"),
    "connection_list": PAGE,
    "bulk_preview": Visit(also=("post",), query="?action=test"),
    "bulk_run": Visit(row="bulk_run", person="own developer"),
    "bulk_continue": Visit(method="post", status=303, row="bulk_run", person="own developer"),
    "connector_list": PAGE,
    "draft_start": Visit(method="post", also=("get",), status=303, arguments=("slack",)),
    "connection_detail": Visit(row="connection"),
    "connection_setup": Visit(
        also=("post",), row="draft", person="own developer", arguments=("name",)
    ),
    "draft_discard": Visit(method="post", status=303, row="draft", person="own developer"),
    "connection_authorize": Visit(also=("post",), row="connection", environments=AUTHORIZED_FOR),
    "connection_reuse": Visit(
        method="post", status=303, row="connection", data={"credential": "x"}
    ),
    "connection_permissions": Visit(also=("post",), row="connection"),
    "connection_oauth_client": Visit(also=("post",), row="connection"),
    "connection_rename": Visit(method="post", status=303, row="connection", data={"name": "Other"}),
    "connection_level": Visit(also=("post",), row="connection"),
    "connection_people": Visit(row="personal_connection"),
    "connection_edit": Visit(also=("post",), row="connection"),
    "connection_disable": Visit(also=("post",), row="connection"),
    "connection_enable": Visit(method="post", status=303, row="connection"),
    "connection_delete": Visit(also=("post",), row="connection"),
    "connection_calls": Visit(row="connection"),
    "authorization_test": Visit(method="post", status=303, row="authorization"),
    "authorization_label": Visit(
        method="post", status=303, row="authorization", data={"label": "Main"}
    ),
    "authorization_revoke": Visit(also=("post",), row="authorization"),
    "authorization_revoke_for": Visit(also=("post",), row="personal_authorization"),
    "installed_connection": Visit(row="installed_connection"),
    "installed_authorize": Visit(also=("post",), row="installed_connection"),
    "installed_reuse": Visit(method="post", status=303, row="installed_connection"),
    # People authorize for themselves; one person already has.
    "installed_test": Visit(
        method="post", status=303, row="installed_connection", person="own developer"
    ),
    "installed_label": Visit(
        method="post",
        status=303,
        row="installed_connection",
        person="own developer",
        data={"label": "Main"},
    ),
    "installed_people": Visit(row="installed_connection"),
    "installed_calls": Visit(row="installed_connection"),
    "installed_revoke": Visit(
        method="post",
        also=("get",),
        status=303,
        row="installed_connection",
        person="own developer",
    ),
    "oauth_client_list": PAGE,
    "oauth_client_services": PAGE,
    "oauth_client_create": Visit(also=("post",), arguments=("slack",), query="?environment="),
    "oauth_client_detail": Visit(also=("post",), row="oauth_client", operator_sees=True),
    "oauth_client_test": Visit(method="post", status=303, row="oauth_client", operator_sees=True),
    "oauth_client_default": Visit(
        method="post", status=303, row="oauth_client", operator_sees=True
    ),
    "oauth_client_move": Visit(method="post", status=303, row="oauth_client", operator_sees=True),
    "oauth_client_delete": Visit(also=("post",), row="oauth_client", operator_sees=True),
    # Without a state there is no flow; the view itself refuses anonymous people.
    "oauth_callback": Visit(status=400, anonymous=403, arguments=("sandbox",)),
    "account_replace": Visit(also=("post",), row="pending_grant", person="own developer"),
    "flow_detail": Visit(row="flow", person="own developer"),
    "flow_status": Visit(row="flow"),
    "flow_cancel": Visit(method="post", also=("get",), status=303, row="flow"),
    "key_list": Visit(also=("post",), row="application"),
    "key_revoke": Visit(also=("post",), row="api_key"),
    "application_open": Visit(also=("post",), row="application"),
    "installation_keys": Visit(also=("post",), row="installation"),
    "installation_key_revoke": Visit(also=("post",), row="installation_key"),
    "installation_open": Visit(method="post", row="installation"),
    "jwks": PAGE,
    "runtime:openapi-json": PAGE,
    "runtime:connection_list": Visit(status=401, anonymous=401),
    "runtime:proxied_call": Visit(status=501, anonymous=501, arguments=("x", "/y"), foreign=True),
    "runtime:nothing_here": Visit(status=404, anonymous=404, arguments=("x",), foreign=True),
    "problem_detail": Visit(arguments=("key-refused",)),
    "health_list": PAGE,
    "webhook_list": Visit(also=("post",), row="application"),
    "webhook_test": Visit(method="post", status=303, row="webhook"),
    "webhook_enable": Visit(method="post", status=303, row="webhook"),
    "webhook_delete": Visit(also=("post",), row="webhook"),
    "delivery_resend": Visit(method="post", status=303, row="delivery"),
    "publish": Visit(also=("post",), row="application"),
    "publish_preview": Visit(method="post", row="application"),
    "release_list": Visit(row="application"),
    "release_compare": Visit(row="application", query="?before=development&after=1"),
    "change_detail": Visit(row="application", arguments=("connections", "connection_1")),
    "release_detail": Visit(row="release"),
    "release_roll_back": Visit(also=("post",), row="release"),
    "person_list": PAGE,
    "person_detail": Visit(row="member"),
    "person_role": Visit(method="post", status=303, row="member", data={"role": "admin"}),
    "person_rights": Visit(method="post", status=303, row="member"),
    "person_deactivate": Visit(also=("post",), row="member"),
    "person_reactivate": Visit(also=("post",), row="member"),
    "person_remove": Visit(also=("post",), row="member"),
    "member_invitations": PAGE,
    "member_invite": Visit(
        method="post", status=303, data={"email": "new@studio.example", "role": "developer"}
    ),
    "member_invitation_resend": Visit(method="post", status=303, row="member_invitation"),
    "member_invitation_withdraw": Visit(method="post", status=303, row="member_invitation"),
    "client_list": PAGE,
    "client_invite": Visit(method="post", status=303, data={"email": "new@client.example"}),
    "client_invitation_resend": Visit(method="post", status=303, row="client_invitation"),
    "client_invitation_withdraw": Visit(method="post", status=303, row="client_invitation"),
    "share_create": Visit(also=("post",), row="application"),
    "share_detail": Visit(row="share"),
    "share_release": Visit(method="post", status=422, row="share"),
    "share_license": Visit(
        method="post", status=303, row="share", data={"license": "subscription"}
    ),
    "share_withdraw": Visit(also=("post",), row="share"),
    "share_install": Visit(also=("post",), row="offered"),
    "marketplace": PAGE,
    "listing_detail": Visit(row="listed"),
    "listing_picture": Visit(row="picture"),
    "listing_install": Visit(method="post", also=("get",), status=303, row="listed"),
    "listing_edit": Visit(also=("post",), row="application"),
    "listing_submit": Visit(method="post", status=303, row="application"),
    "listing_withdraw": Visit(method="post", status=303, row="application"),
    "picture_add": Visit(method="post", status=422, row="application"),
    "picture_remove": Visit(method="post", status=303, row="own_picture"),
    "review_list": PAGE,
    "listing_review": Visit(also=("post",), row="submitted"),
    "installation_list": PAGE,
    "installation_detail": Visit(row="installation"),
    "my_connections": Visit(row="installation"),
    "installation_run": Visit(also=("post",), row="installation", arguments=("find_people",)),
    "installation_update": Visit(also=("post",), row="installation"),
    "installation_uninstall": Visit(also=("post",), row="installation"),
    "application_export": Visit(row="application"),
    "application_import": Visit(also=("post",)),
    "upload_detail": Visit(row="upload", person="own super_admin"),
    "upload_confirm": Visit(method="post", status=303, row="upload", person="own super_admin"),
    "upload_discard": Visit(method="post", status=303, row="upload", person="own super_admin"),
    "schema_detail": Visit(arguments=("component",)),
    "saved_filter_create": Visit(
        method="post",
        status=303,
        data={"path": "/microservices/", "query": "q=a", "name": "Mine"},
    ),
    "saved_filter_edit": Visit(also=("post",), row="saved_filter", person="own developer"),
    "saved_filter_delete": Visit(
        method="post", status=303, row="saved_filter", person="own developer"
    ),
    "search": Visit(query="?q=secret"),
    "guide_list": PAGE,
    "guide_detail": Visit(arguments=("developer",)),
    "api_reference": PAGE,
    "event_list": PAGE,
    "event_detail": Visit(row="event"),
    "event_export": Visit(arguments=("csv",)),
    # The visit has no token, or an invalid one.
    "invitation_open": Visit(arguments=("no-such-token",), status=404, anonymous=404),
    "invitation_detail": Visit(also=("post",), status=404, anonymous=404),
    "admin:index": FOREIGN,
    "admin:accounts_membership_changelist": FOREIGN,
    "admin:accounts_organization_changelist": FOREIGN,
    "admin:inviting_invitation_changelist": FOREIGN,
    "admin:connections_oauthclient_changelist": FOREIGN,
    "admin:applications_application_changelist": FOREIGN,
    "admin:publishing_installation_changelist": FOREIGN,
    "account_login": REDIRECTS,
    "account_logout": Visit(anonymous=302, foreign=True),
    "account_inactive": FOREIGN,
    "account_signup": REDIRECTS,
    "account_reauthenticate": FOREIGN,
    "account_email": FOREIGN,
    "account_email_verification_sent": Visit(status=302, anonymous=302, foreign=True),
    "account_change_password": FOREIGN,
    "account_set_password": REDIRECTS,
    "account_reset_password": FOREIGN,
    "account_confirm_login_code": Visit(status=302, anonymous=302, foreign=True),
    "account_reset_password_from_key_done": FOREIGN,
    "account_reset_password_from_key": Visit(arguments=("1", "x-y"), foreign=True),
    "account_reset_password_done": FOREIGN,
    "security": PAGE,
    "mfa_authenticate": Visit(status=302, anonymous=302, foreign=True),
    "mfa_index": FOREIGN,
    "mfa_reauthenticate": REDIRECTS,
    "mfa_activate_totp": FOREIGN,
    "mfa_deactivate_totp": NO_SUCH_FACTOR,
    "mfa_view_recovery_codes": NO_SUCH_FACTOR,
    "mfa_generate_recovery_codes": FOREIGN,
    "mfa_download_recovery_codes": NO_SUCH_FACTOR,
    "mfa_list_webauthn": FOREIGN,
    "mfa_add_webauthn": FOREIGN,
    "mfa_reauthenticate_webauthn": REDIRECTS,
    "mfa_remove_webauthn": Visit(arguments=(1,), status=404, foreign=True),
    "mfa_edit_webauthn": Visit(arguments=(1,), status=404, foreign=True),
    "usersessions_list": FOREIGN,
    "form_return": Visit(status=302),
    # Outside of the demo there are no such accounts.
    "demo_account": Visit(method="post", also=("get",), status=404),
    "favicon": Visit(status=302, anonymous=302),
    "manifest": PAGE,
    "healthz": PAGE,
    "readyz": PAGE,
    # Exists only if METRICS_TOKEN is set, for clients that send it.
    "metrics": Visit(status=404, anonymous=404),
    # The tests set no GATEWAY_SECRET.
    "gateway_route": Visit(method="post", status=404, anonymous=404, has_cookies=False),
    "gateway_calls": Visit(method="post", status=404, anonymous=404, has_cookies=False),
}


def rule(name: str) -> RouteRule:
    """Return the rule of a route; its namespace may have it."""
    return RULES.get(name) or RULES[name.partition(":")[0]]


def address(name: str, things: Mapping[str, Any], pk: uuid.UUID | None = None) -> str:
    """Return the URL of a route, with the key of its row or another key."""
    visit = VISITS[name]
    key = [pk or things[visit.row].pk] if visit.row else []
    return reverse(name, args=[*key, *visit.arguments]) + visit.query
