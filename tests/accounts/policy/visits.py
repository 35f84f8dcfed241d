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
    #: The other methods that the view takes.
    also: tuple[str, ...] = ()
    status: int = 200
    #: What a public route answers to somebody who is not signed in.
    anonymous: int = 200
    #: The name of the row in the URL.
    target: str = ""
    #: Whose that row is, where it is one person's own.
    person: str = ""
    arguments: tuple[Any, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    #: What comes for each environment that may be named, where one may.
    environments: Mapping[str, int] = field(default_factory=dict)
    #: It is another package's: what it answers to other methods is its own matter.
    foreign: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        return (self.method, *self.also)


PAGE = Visit()
#: allauth's own pages; some lead on where there is nothing to do.
FOREIGN = Visit(foreign=True)
LEADS_ON = Visit(status=302, foreign=True)
#: What somebody asks for who has no such second factor.
NONE_OF_HIS = Visit(status=404, foreign=True)
RUN_IN = {"development": 200, "stage": 422, "production": 422, "elsewhere": 422}
AUTHORIZED_FOR = dict.fromkeys(("development", "stage", "production", "all", "elsewhere"), 200)

VISITS: dict[str, Visit] = {
    "home": PAGE,
    "application_list": PAGE,
    "application_detail": Visit(arguments=("field_service",)),
    "component_list": Visit(of="application"),
    "component_create": Visit(also=("post",), of="application"),
    "component_detail": Visit(of="component"),
    "component_save": Visit(
        method="post",
        status=303,
        of="component",
        data={"name": "Other", "definition": "{}", "version": "1"},
    ),
    "component_check": Visit(method="post", of="component"),
    "component_run": Visit(
        method="post",
        of="component",
        data={"environment": "development"},
        environments=RUN_IN,
    ),
    "component_delete": Visit(also=("post",), of="component"),
    "connection_list": PAGE,
    "connector_list": PAGE,
    "draft_start": Visit(method="post", status=303, arguments=("slack",)),
    "connection_detail": Visit(of="connection"),
    "connection_setup": Visit(
        also=("post",), of="draft", person="own developer", arguments=("name",)
    ),
    "draft_discard": Visit(method="post", status=303, of="draft", person="own developer"),
    "connection_authorize": Visit(also=("post",), of="connection", environments=AUTHORIZED_FOR),
    "connection_reuse": Visit(method="post", status=303, of="connection", data={"credential": "x"}),
    "connection_permissions": Visit(also=("post",), of="connection"),
    "connection_rename": Visit(method="post", status=303, of="connection", data={"name": "Other"}),
    "connection_delete": Visit(also=("post",), of="connection"),
    "connection_calls": Visit(of="connection"),
    "authorization_test": Visit(method="post", status=303, of="authorization"),
    "authorization_label": Visit(
        method="post", status=303, of="authorization", data={"label": "Main"}
    ),
    "authorization_revoke": Visit(also=("post",), of="authorization"),
    "installed_connection": Visit(of="installed_connection"),
    "installed_authorize": Visit(also=("post",), of="installed_connection"),
    "installed_reuse": Visit(method="post", status=303, of="installed_connection"),
    # People authorize for themselves; one person already has.
    "installed_test": Visit(
        method="post", status=303, of="installed_connection", person="own developer"
    ),
    "installed_label": Visit(
        method="post",
        status=303,
        of="installed_connection",
        person="own developer",
        data={"label": "Main"},
    ),
    "installed_calls": Visit(of="installed_connection"),
    "installed_revoke": Visit(
        method="post",
        also=("get",),
        status=303,
        of="installed_connection",
        person="own developer",
    ),
    # Nobody's without its state; the view itself refuses who is not signed in.
    "oauth_callback": Visit(status=400, anonymous=403, arguments=("sandbox",)),
    "flow_detail": Visit(of="flow", person="own developer"),
    "flow_status": Visit(of="flow"),
    "key_list": Visit(also=("post",), of="application"),
    "key_revoke": Visit(also=("post",), of="api_key"),
    "application_open": Visit(also=("post",), of="application"),
    "installation_keys": Visit(also=("post",), of="installation"),
    "installation_key_revoke": Visit(also=("post",), of="installation_key"),
    "installation_open": Visit(method="post", of="installation"),
    "jwks": PAGE,
    "runtime:openapi-json": PAGE,
    "runtime:connection_list": Visit(status=401, anonymous=401),
    "runtime:nothing_here": Visit(status=404, anonymous=404, arguments=("x",), foreign=True),
    "problem_detail": Visit(arguments=("key-refused",)),
    "health_list": PAGE,
    "webhook_list": Visit(also=("post",), of="application"),
    "webhook_test": Visit(method="post", status=303, of="webhook"),
    "webhook_enable": Visit(method="post", status=303, of="webhook"),
    "webhook_delete": Visit(also=("post",), of="webhook"),
    "delivery_resend": Visit(method="post", status=303, of="delivery"),
    "publish": Visit(also=("post",), of="application"),
    "publish_preview": Visit(method="post", of="application"),
    "release_list": Visit(of="application"),
    "release_compare": Visit(of="application", query="?before=development&after=1"),
    "change_detail": Visit(of="application", arguments=("connections", "connection_1")),
    "release_detail": Visit(of="release"),
    "release_roll_back": Visit(also=("post",), of="release"),
    "client_list": PAGE,
    "client_invite": Visit(method="post", status=303, data={"email": "new@client.example"}),
    "client_invitation_resend": Visit(method="post", status=303, of="client_invitation"),
    "client_invitation_withdraw": Visit(method="post", status=303, of="client_invitation"),
    "share_create": Visit(also=("post",), of="application"),
    "share_detail": Visit(of="share"),
    "share_release": Visit(method="post", status=422, of="share"),
    "share_license": Visit(method="post", status=303, of="share", data={"license": "subscription"}),
    "share_withdraw": Visit(also=("post",), of="share"),
    "share_install": Visit(also=("post",), of="offered"),
    "marketplace": PAGE,
    "listing_detail": Visit(of="listed"),
    "listing_picture": Visit(of="picture"),
    "listing_install": Visit(method="post", also=("get",), status=303, of="listed"),
    "listing_edit": Visit(also=("post",), of="application"),
    "listing_submit": Visit(method="post", status=303, of="application"),
    "listing_withdraw": Visit(method="post", status=303, of="application"),
    "picture_add": Visit(method="post", status=422, of="application"),
    "picture_remove": Visit(method="post", status=303, of="own_picture"),
    "review_list": PAGE,
    "listing_review": Visit(also=("post",), of="submitted"),
    "installation_list": PAGE,
    "installation_detail": Visit(of="installation"),
    "my_connections": Visit(of="installation"),
    "installation_run": Visit(also=("post",), of="installation", arguments=("find_people",)),
    "installation_update": Visit(also=("post",), of="installation"),
    "installation_uninstall": Visit(also=("post",), of="installation"),
    "application_export": Visit(of="application"),
    "application_import": Visit(also=("post",)),
    "upload_detail": Visit(of="upload", person="own super_admin"),
    "upload_confirm": Visit(method="post", status=303, of="upload", person="own super_admin"),
    "upload_discard": Visit(method="post", status=303, of="upload", person="own super_admin"),
    "schema_detail": Visit(arguments=("component",)),
    "event_list": PAGE,
    "event_detail": Visit(of="event"),
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
    "account_login": LEADS_ON,
    "account_logout": Visit(anonymous=302, foreign=True),
    "account_inactive": FOREIGN,
    "account_signup": LEADS_ON,
    "account_reauthenticate": FOREIGN,
    "account_email": FOREIGN,
    "account_email_verification_sent": Visit(status=302, anonymous=302, foreign=True),
    "account_change_password": FOREIGN,
    "account_set_password": LEADS_ON,
    "account_reset_password": FOREIGN,
    "account_confirm_login_code": Visit(status=302, anonymous=302, foreign=True),
    "account_reset_password_from_key_done": FOREIGN,
    "account_reset_password_from_key": Visit(arguments=("1", "x-y"), foreign=True),
    "account_reset_password_done": FOREIGN,
    "security": PAGE,
    "mfa_authenticate": Visit(status=302, anonymous=302, foreign=True),
    "mfa_index": FOREIGN,
    "mfa_reauthenticate": LEADS_ON,
    "mfa_activate_totp": FOREIGN,
    "mfa_deactivate_totp": NONE_OF_HIS,
    "mfa_view_recovery_codes": NONE_OF_HIS,
    "mfa_generate_recovery_codes": FOREIGN,
    "mfa_download_recovery_codes": NONE_OF_HIS,
    "mfa_list_webauthn": FOREIGN,
    "mfa_add_webauthn": FOREIGN,
    "mfa_reauthenticate_webauthn": LEADS_ON,
    "mfa_remove_webauthn": Visit(arguments=(1,), status=404, foreign=True),
    "mfa_edit_webauthn": Visit(arguments=(1,), status=404, foreign=True),
    "usersessions_list": FOREIGN,
    "favicon": Visit(status=302, anonymous=302),
    "healthz": PAGE,
    "readyz": PAGE,
    # Not there unless METRICS_TOKEN is set, and then for a program that shows it.
    "metrics": Visit(status=404, anonymous=404),
}


def rule(name: str) -> RouteRule:
    """Return the rule of a route; its namespace may have it."""
    return RULES.get(name) or RULES[name.partition(":")[0]]


def address(name: str, things: Mapping[str, Any], pk: uuid.UUID | None = None) -> str:
    """Return where a route is, with the row of the tests in it or with another key."""
    visit = VISITS[name]
    key = [pk or things[visit.of].pk] if visit.of else []
    return reverse(name, args=[*key, *visit.arguments]) + visit.query
