"""Every way in which the console is changed: what is done, and which event tells of it.

A verb is a function of the test's :class:`~tests.audit.world.World`. It prepares, and returns
what does it.
"""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections.authorizations import (
    connection_deletion,
    credential_erasure,
    granting,
    labeling,
    revoking,
    state_changes,
    suspending,
)
from connections.authorizations.forms import LabelForm
from connections.models import Authorization, OAuthClient
from connections.models.authorization_site import AuthorizationSite
from connections.oauth_clients import choosing
from connections.oauth_clients.forms import ChosenClientForm
from connections.setup import changing, details, disabling, drafting, level, tagging
from connections.setup.forms import PermissionsForm, RenameForm
from console.accounts.policy import Action
from console.audit.actions import AuditAction
from console.audit.log import record_all
from console.components import saving
from console.keys import issuing
from console.publishing import publishing
from console.transfer import exporting, importing
from console.webhooks import deliveries, payloads, registration
from console.webhooks.models import Webhook
from tests.audit import administration_verbs, distribution_verbs, factor_verbs, people_verbs
from tests.audit.world import CANARY, Verb, World


def connection_created(w: World):
    draft = w.connect("twilio", name="Messages", status="draft", link_name="")
    return lambda: drafting.create(draft, w.developer)


def connection_renamed(w: World):
    form = RenameForm({"name": "Other"}, instance=w.connection())
    assert form.is_valid()
    return lambda: changing.rename(form, w.developer)


def permissions_changed(w: World):
    form = PermissionsForm({"scopes": ["orders.read"]}, instance=w.connect())
    assert form.is_valid(), form.errors
    return lambda: changing.change_permissions(form, w.developer)


def _details(w: World, connection, **values):
    data = {"description": "", "tags": "", "owner": connection.owner_id, **values}
    form = details.DetailsForm(data, instance=connection)
    assert form.is_valid(), form.errors
    return lambda: details.save_details(form, w.developer)


def described(w: World):
    return _details(w, w.connection(), description="Sends messages")


def owner_changed(w: World):
    return _details(w, w.connection(), owner=w.super_admin.pk)


def tagged(w: World):
    connection = w.connection()
    return lambda: tagging.set_tags(connection, ["billing"], w.developer)


def level_changed(w: World):
    form = level.LevelAndEnvironmentsForm(
        {"level": "logged_in_user", "separate_environments": "on"}, instance=w.connect()
    )
    assert form.is_valid(), form.errors
    return lambda: level.change_level(form, w.developer)


def disabled(w: World):
    connection = w.connection()
    return lambda: disabling.disable_connection(connection, w.developer, "Incident")


def enabled(w: World):
    connection = w.connection()
    disabling.disable_connection(connection, w.developer)
    return lambda: disabling.enable_connection(connection, w.developer)


def client_chosen(w: World):
    client = OAuthClient.objects.create(connector_slug="sandbox", client_id="c", client_secret="s")
    clients = OAuthClient.objects.all()
    form = ChosenClientForm({"oauth_client": client.pk}, instance=w.connect(), clients=clients)
    assert form.is_valid(), form.errors
    return lambda: choosing.choose(form, w.developer)


def connection_deleted(w: World):
    connection = w.connection()
    w.grant(connection)
    return lambda: connection_deletion.delete_connection(connection, w.developer)


def given(w: World):
    connection = w.connection()
    return lambda: w.store(connection)


def replaced(w: World):
    connection = w.connection()
    w.grant(connection)
    return lambda: w.store(connection)


def reused(w: World):
    connection, other = w.connection(), w.connect("twilio", name="Others")
    credential = w.grant(other).credential
    return lambda: granting.reuse(
        AuthorizationSite.of_connection(connection), w.developer, ["all"], credential
    )


def revoked(w: World):
    authorization = w.grant(w.connection())
    return lambda: revoking.revoke(authorization, w.developer)


def revocation_asked(w: World):
    OAuthClient.objects.create(connector_slug="sandbox", client_id="c", client_secret="s")
    authorization = w.grant(w.connect("sandbox"))
    key = authorization.credential_id
    Authorization.objects.update(credential=None)
    return lambda: credential_erasure.revoke_and_erase(key, w.developer)


def labeled(w: World):
    authorization = w.grant(w.connection())
    form = LabelForm({"label": "Main"}, instance=authorization.credential)
    assert form.is_valid()
    return lambda: labeling.label(authorization, form, w.developer, Action.MANAGE_CONNECTIONS)


def ended(w: World):
    credential = w.grant(w.connection()).credential
    state = Authorization.State.NEEDS_AUTHORIZATION
    return lambda: state_changes.mark_ended(credential, state, "Twilio said no.")


def recovered(w: World):
    credential = w.grant(w.connection()).credential
    Authorization.objects.update(state=Authorization.State.NEEDS_AUTHORIZATION)
    return lambda: state_changes.mark_recovered(credential)


def _webhook(w: World):
    return registration.register(w.application, "https://hooks.example.com/x", w.developer)[0]


def webhook_created(w: World):
    w.build("Find people")
    return lambda: _webhook(w)


def webhook_deleted(w: World):
    webhook = _webhook(w)
    return lambda: registration.delete(webhook, w.developer)


def webhook_disabled(w: World):
    delivery = payloads.test_message(_webhook(w))
    delivery.tries = 8
    delivery.save()
    return lambda: deliveries.fail(delivery, "It does not answer.")


def webhook_enabled(w: World):
    webhook = _webhook(w)
    Webhook.objects.update(disabled_at=timezone.now())
    return lambda: registration.enable(webhook, w.developer)


def suspended(w: World):
    w.grant(w.connection())
    return lambda: _told(lambda: suspending.suspend(w.developer, w.studio, "They left."))


def restored(w: World):
    w.grant(w.connection())
    with transaction.atomic():
        suspending.suspend(w.developer, w.studio, "They left.")
    return lambda: _told(lambda: suspending.restore(w.developer, w.studio))


@transaction.atomic
def _told(verb):
    """Do what only returns what happened, and write it down as others do."""
    ((organization, happening),) = verb()
    record_all(organization, None, [happening])


def component_created(w: World):
    w.connection()
    return lambda: w.build("Find people")


def component_saved(w: World):
    component = w.build("Find people")
    return lambda: saving.save(component, w.developer, version=1)


def component_deleted(w: World):
    component = w.build("Find people")
    return lambda: saving.delete(component, w.developer)


def published(w: World):
    w.build("Find people")
    return lambda: publishing.publish(w.application, w.developer, ticked=["find_people"])


def rolled_back(w: World):
    w.build("Find people")
    first = publishing.publish(w.application, w.developer, ticked=["find_people"]).release
    w.build("Order parts")
    publishing.publish(w.application, w.developer, ticked=["order_parts"])
    return lambda: publishing.roll_back(w.application, w.developer, to=first)


def imported(w: World):
    w.build("Find people")
    text = exporting.export(w.application)
    return lambda: importing.import_application(text, w.studio, w.super_admin)


def exported(w: World):
    return lambda: exporting.export_and_record(w.application, w.developer)


def exported_by_command(w: World):
    return lambda: call_command("export_application", "studio", "field_service")


def password_changed(w: World):
    return lambda: get_adapter().set_password(w.developer, CANARY)


def _sign_in(w: World, password: str):
    data = {"login": w.developer.email, "password": password}
    return lambda: Client(raise_request_exception=False).post(reverse("account_login"), data)


def signed_in(w: World):
    return _sign_in(w, "pass-word-1")


def sign_in_failed(w: World):
    return _sign_in(w, CANARY)


def signed_out(w: World):
    client = w.browser(w.developer)
    return lambda: client.post(reverse("account_logout"))


def key_created(w: World):
    return lambda: issuing.create_key(w.application, w.studio, "development", w.developer, "Import")


def key_revoked(w: World):
    key, _ = issuing.create_key(w.application, w.studio, "stage", w.developer, "Import")
    return lambda: issuing.revoke_key(key, w.developer)


def token_key_renewed(w: World):
    return lambda: call_command("renew_token_key")


def activity_exported(w: World):
    client = w.browser(w.super_admin)
    return lambda: client.get(reverse("event_export", args=["csv"]))


#: A verb and its act; then who acts, and whose chain tells of it.
VERBS: list[tuple[Verb, AuditAction, str, str]] = [
    (key_created, AuditAction.API_KEY_CREATED, "developer", "studio"),
    (key_revoked, AuditAction.API_KEY_REVOKED, "developer", "studio"),
    (
        administration_verbs.application_changed,
        AuditAction.APPLICATION_CHANGED,
        "operator",
        "studio",
    ),
    (
        administration_verbs.application_created,
        AuditAction.APPLICATION_CREATED,
        "operator",
        "studio",
    ),
    (
        administration_verbs.application_deleted,
        AuditAction.APPLICATION_DELETED,
        "operator",
        "studio",
    ),
    (
        administration_verbs.application_deleted_from_the_list,
        AuditAction.APPLICATION_DELETED,
        "operator",
        "studio",
    ),
    (exported, AuditAction.APPLICATION_EXPORTED, "developer", "studio"),
    (exported_by_command, AuditAction.APPLICATION_EXPORTED, "", "studio"),
    (imported, AuditAction.APPLICATION_IMPORTED, "super_admin", "studio"),
    (activity_exported, AuditAction.AUDIT_EXPORTED, "super_admin", "studio"),
    (ended, AuditAction.AUTHORIZATION_ENDED, "", "studio"),
    (given, AuditAction.AUTHORIZATION_GIVEN, "developer", "studio"),
    (labeled, AuditAction.AUTHORIZATION_LABELED, "developer", "studio"),
    (recovered, AuditAction.AUTHORIZATION_RECOVERED, "", "studio"),
    (replaced, AuditAction.AUTHORIZATION_REPLACED, "developer", "studio"),
    (reused, AuditAction.AUTHORIZATION_REUSED, "developer", "studio"),
    (restored, AuditAction.AUTHORIZATION_RESTORED, "", "studio"),
    (revoked, AuditAction.AUTHORIZATION_REVOKED, "developer", "studio"),
    (suspended, AuditAction.AUTHORIZATION_SUSPENDED, "", "studio"),
    (revocation_asked, AuditAction.CREDENTIAL_REVOCATION_ASKED, "developer", "studio"),
    (component_created, AuditAction.COMPONENT_CREATED, "developer", "studio"),
    (component_deleted, AuditAction.COMPONENT_DELETED, "developer", "studio"),
    (component_saved, AuditAction.COMPONENT_SAVED, "developer", "studio"),
    (connection_created, AuditAction.CONNECTION_CREATED, "developer", "studio"),
    (connection_deleted, AuditAction.CONNECTION_DELETED, "developer", "studio"),
    (client_chosen, AuditAction.CONNECTION_OAUTH_CLIENT_CHANGED, "developer", "studio"),
    (permissions_changed, AuditAction.CONNECTION_PERMISSIONS_CHANGED, "developer", "studio"),
    (level_changed, AuditAction.CONNECTION_LEVEL_CHANGED, "developer", "studio"),
    (described, AuditAction.CONNECTION_DESCRIBED, "developer", "studio"),
    (owner_changed, AuditAction.CONNECTION_OWNER_CHANGED, "developer", "studio"),
    (tagged, AuditAction.CONNECTION_TAGGED, "developer", "studio"),
    (disabled, AuditAction.CONNECTION_DISABLED, "developer", "studio"),
    (enabled, AuditAction.CONNECTION_ENABLED, "developer", "studio"),
    (connection_renamed, AuditAction.CONNECTION_RENAMED, "developer", "studio"),
    (distribution_verbs.installed, AuditAction.INSTALLATION_CREATED, "operator", "client"),
    (distribution_verbs.uninstalled, AuditAction.INSTALLATION_REMOVED, "operator", "client"),
    (distribution_verbs.left, AuditAction.INSTALLATION_UPDATE_LEFT, "operator", "client"),
    (distribution_verbs.updated, AuditAction.INSTALLATION_UPDATED, "operator", "client"),
    (distribution_verbs.listing_published, AuditAction.LISTING_PUBLISHED, "operator", "studio"),
    (distribution_verbs.listing_refused, AuditAction.LISTING_REFUSED, "operator", "studio"),
    (distribution_verbs.listing_saved, AuditAction.LISTING_SAVED, "super_admin", "studio"),
    (distribution_verbs.picture_added, AuditAction.LISTING_SAVED, "super_admin", "studio"),
    (distribution_verbs.picture_removed, AuditAction.LISTING_SAVED, "super_admin", "studio"),
    (distribution_verbs.listing_submitted, AuditAction.LISTING_SUBMITTED, "super_admin", "studio"),
    (distribution_verbs.listing_withdrawn, AuditAction.LISTING_WITHDRAWN, "super_admin", "studio"),
    (distribution_verbs.shared, AuditAction.SHARE_CREATED, "super_admin", "studio"),
    (
        distribution_verbs.license_changed,
        AuditAction.SHARE_LICENSE_CHANGED,
        "super_admin",
        "studio",
    ),
    (distribution_verbs.released, AuditAction.SHARE_RELEASED, "super_admin", "studio"),
    (distribution_verbs.withdrawn, AuditAction.SHARE_WITHDRAWN, "super_admin", "studio"),
    (people_verbs.invitation_accepted, AuditAction.INVITATION_ACCEPTED, "operator", "studio"),
    (people_verbs.invitation_resent, AuditAction.INVITATION_RESENT, "super_admin", "studio"),
    (people_verbs.invitation_sent, AuditAction.INVITATION_SENT, "super_admin", "studio"),
    (people_verbs.invitation_withdrawn, AuditAction.INVITATION_WITHDRAWN, "super_admin", "studio"),
    (people_verbs.role_changed, AuditAction.MEMBERSHIP_CHANGED, "super_admin", "studio"),
    (people_verbs.deactivated, AuditAction.MEMBERSHIP_DEACTIVATED, "super_admin", "studio"),
    (people_verbs.reactivated, AuditAction.MEMBERSHIP_REACTIVATED, "super_admin", "studio"),
    (people_verbs.removed, AuditAction.MEMBERSHIP_DELETED, "super_admin", "studio"),
    (administration_verbs.member_changed, AuditAction.MEMBERSHIP_CHANGED, "operator", "studio"),
    (administration_verbs.member_added, AuditAction.MEMBERSHIP_CREATED, "operator", "studio"),
    (administration_verbs.member_removed, AuditAction.MEMBERSHIP_DELETED, "operator", "studio"),
    (administration_verbs.client_changed, AuditAction.OAUTH_CLIENT_CHANGED, "operator", "studio"),
    (administration_verbs.client_created, AuditAction.OAUTH_CLIENT_CREATED, "operator", "studio"),
    (
        administration_verbs.client_registered_by_command,
        AuditAction.OAUTH_CLIENT_CREATED,
        "",
        "studio",
    ),
    (
        administration_verbs.client_made_default,
        AuditAction.OAUTH_CLIENT_MADE_DEFAULT,
        "super_admin",
        "studio",
    ),
    (administration_verbs.client_deleted, AuditAction.OAUTH_CLIENT_DELETED, "operator", "studio"),
    (
        administration_verbs.organization_changed,
        AuditAction.ORGANIZATION_CHANGED,
        "operator",
        "studio",
    ),
    (
        administration_verbs.organization_created,
        AuditAction.ORGANIZATION_CREATED,
        "operator",
        "new",
    ),
    (administration_verbs.organization_deleted, AuditAction.ORGANIZATION_DELETED, "operator", ""),
    (published, AuditAction.RELEASE_PUBLISHED, "developer", "studio"),
    (rolled_back, AuditAction.RELEASE_ROLLED_BACK, "developer", "studio"),
    (administration_verbs.right_given, AuditAction.RIGHT_GIVEN, "operator", "studio"),
    (administration_verbs.right_taken, AuditAction.RIGHT_TAKEN, "operator", "studio"),
    (token_key_renewed, AuditAction.TOKEN_KEY_RENEWED, "", ""),
    (factor_verbs.address_changed, AuditAction.USER_ADDRESS_CHANGED, "developer", "studio"),
    (factor_verbs.address_claimed, AuditAction.USER_ADDRESS_CLAIMED, "developer", "studio"),
    (factor_verbs.address_confirmed, AuditAction.USER_ADDRESS_CONFIRMED, "developer", "studio"),
    (
        factor_verbs.address_confirmed_by_an_operator,
        AuditAction.USER_ADDRESS_CONFIRMED,
        "operator",
        "studio",
    ),
    (factor_verbs.address_removed, AuditAction.USER_ADDRESS_REMOVED, "developer", "studio"),
    (administration_verbs.user_changed, AuditAction.USER_CHANGED, "operator", "studio"),
    (administration_verbs.user_created, AuditAction.USER_CREATED, "operator", ""),
    (administration_verbs.user_deleted, AuditAction.USER_DELETED, "operator", ""),
    (factor_verbs.factor_added, AuditAction.USER_FACTOR_ADDED, "developer", "studio"),
    (factor_verbs.factor_removed, AuditAction.USER_FACTOR_REMOVED, "developer", "studio"),
    (
        factor_verbs.factor_removed_by_an_operator,
        AuditAction.USER_FACTOR_REMOVED,
        "operator",
        "studio",
    ),
    (password_changed, AuditAction.USER_PASSWORD_CHANGED, "developer", "studio"),
    (
        administration_verbs.password_set_in_administration,
        AuditAction.USER_PASSWORD_CHANGED,
        "operator",
        "studio",
    ),
    (factor_verbs.code_used, AuditAction.USER_RECOVERY_CODE_USED, "developer", "studio"),
    (
        factor_verbs.codes_generated,
        AuditAction.USER_RECOVERY_CODES_GENERATED,
        "developer",
        "studio",
    ),
    (factor_verbs.codes_viewed, AuditAction.USER_RECOVERY_CODES_VIEWED, "developer", "studio"),
    (signed_in, AuditAction.USER_SIGNED_IN, "developer", "studio"),
    (signed_out, AuditAction.USER_SIGNED_OUT, "developer", "studio"),
    (sign_in_failed, AuditAction.USER_SIGN_IN_FAILED, "", "studio"),
    (webhook_created, AuditAction.WEBHOOK_CREATED, "developer", "studio"),
    (webhook_deleted, AuditAction.WEBHOOK_DELETED, "developer", "studio"),
    (webhook_disabled, AuditAction.WEBHOOK_DISABLED, "", "studio"),
    (webhook_enabled, AuditAction.WEBHOOK_ENABLED, "developer", "studio"),
]
