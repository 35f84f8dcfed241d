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

from connections import (
    changing,
    drafting,
    granting,
    marking,
    referencing,
    revocation,
    revoking,
    sites,
    suspending,
)
from connections.authorization_forms import LabelForm
from connections.forms import PermissionsForm, RenameForm
from connections.models import Authorization, OAuthClient
from console.accounts.policy import Action
from console.audit.acts import Act
from console.audit.recording import record_all
from console.keys import issuing
from console.publishing import publishing
from console.transfer import exporting, importing
from console.webhooks import composing, delivering, registering
from console.webhooks.models import Webhook
from tests.audit import administering, distributing, factors, people
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


def connection_deleted(w: World):
    connection = w.connection()
    w.grant(connection)
    return lambda: revoking.delete(connection, w.developer)


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
    return lambda: granting.reuse(sites.at_home(connection), w.developer, ["all"], credential)


def revoked(w: World):
    authorization = w.grant(w.connection())
    return lambda: revoking.revoke(authorization, w.developer)


def revocation_asked(w: World):
    OAuthClient.objects.create(connector_slug="sandbox", client_id="c", client_secret="s")
    authorization = w.grant(w.connect("sandbox"))
    key = authorization.credential_id
    Authorization.objects.update(credential=None)
    return lambda: revocation.erase(key, w.developer)


def labelled(w: World):
    authorization = w.grant(w.connection())
    form = LabelForm({"label": "Main"}, instance=authorization.credential)
    assert form.is_valid()
    return lambda: changing.label(authorization, form, w.developer, Action.MANAGE_CONNECTIONS)


def ended(w: World):
    credential = w.grant(w.connection()).credential
    state = Authorization.State.NEEDS_AUTHORIZATION
    return lambda: marking.mark(credential, state, "Twilio said no.")


def recovered(w: World):
    credential = w.grant(w.connection()).credential
    Authorization.objects.update(state=Authorization.State.NEEDS_AUTHORIZATION)
    return lambda: marking.unmark(credential)


def _webhook(w: World):
    return registering.register(w.application, "https://hooks.example.com/x", w.developer)[0]


def webhook_created(w: World):
    w.build("Find people")
    return lambda: _webhook(w)


def webhook_deleted(w: World):
    webhook = _webhook(w)
    return lambda: registering.delete(webhook, w.developer)


def webhook_disabled(w: World):
    delivery = composing.test_message(_webhook(w))
    delivery.tries = 8
    delivery.save()
    return lambda: delivering.fail(delivery, "It does not answer.")


def webhook_enabled(w: World):
    webhook = _webhook(w)
    Webhook.objects.update(disabled_at=timezone.now())
    return lambda: registering.enable(webhook, w.developer)


def suspended(w: World):
    w.grant(w.connection())
    return lambda: _told(lambda: suspending.suspend(w.developer, w.studio, "He left."))


def restored(w: World):
    w.grant(w.connection())
    with transaction.atomic():
        suspending.suspend(w.developer, w.studio, "He left.")
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
    return lambda: referencing.save(component, w.developer, version=1)


def component_deleted(w: World):
    component = w.build("Find people")
    return lambda: referencing.delete(component, w.developer)


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
    return lambda: exporting.hand_out(w.application, w.developer)


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
VERBS: list[tuple[Verb, Act, str, str]] = [
    (key_created, Act.API_KEY_CREATED, "developer", "studio"),
    (key_revoked, Act.API_KEY_REVOKED, "developer", "studio"),
    (administering.application_changed, Act.APPLICATION_CHANGED, "operator", "studio"),
    (administering.application_created, Act.APPLICATION_CREATED, "operator", "studio"),
    (administering.application_deleted, Act.APPLICATION_DELETED, "operator", "studio"),
    (
        administering.application_deleted_from_the_list,
        Act.APPLICATION_DELETED,
        "operator",
        "studio",
    ),
    (exported, Act.APPLICATION_EXPORTED, "developer", "studio"),
    (exported_by_command, Act.APPLICATION_EXPORTED, "", "studio"),
    (imported, Act.APPLICATION_IMPORTED, "super_admin", "studio"),
    (activity_exported, Act.AUDIT_EXPORTED, "super_admin", "studio"),
    (ended, Act.AUTHORIZATION_ENDED, "", "studio"),
    (given, Act.AUTHORIZATION_GIVEN, "developer", "studio"),
    (labelled, Act.AUTHORIZATION_LABELLED, "developer", "studio"),
    (recovered, Act.AUTHORIZATION_RECOVERED, "", "studio"),
    (replaced, Act.AUTHORIZATION_REPLACED, "developer", "studio"),
    (reused, Act.AUTHORIZATION_REUSED, "developer", "studio"),
    (restored, Act.AUTHORIZATION_RESTORED, "", "studio"),
    (revoked, Act.AUTHORIZATION_REVOKED, "developer", "studio"),
    (suspended, Act.AUTHORIZATION_SUSPENDED, "", "studio"),
    (revocation_asked, Act.CREDENTIAL_REVOCATION_ASKED, "developer", "studio"),
    (component_created, Act.COMPONENT_CREATED, "developer", "studio"),
    (component_deleted, Act.COMPONENT_DELETED, "developer", "studio"),
    (component_saved, Act.COMPONENT_SAVED, "developer", "studio"),
    (connection_created, Act.CONNECTION_CREATED, "developer", "studio"),
    (connection_deleted, Act.CONNECTION_DELETED, "developer", "studio"),
    (permissions_changed, Act.CONNECTION_PERMISSIONS_CHANGED, "developer", "studio"),
    (connection_renamed, Act.CONNECTION_RENAMED, "developer", "studio"),
    (distributing.installed, Act.INSTALLATION_CREATED, "operator", "client"),
    (distributing.uninstalled, Act.INSTALLATION_REMOVED, "operator", "client"),
    (distributing.left, Act.INSTALLATION_UPDATE_LEFT, "operator", "client"),
    (distributing.updated, Act.INSTALLATION_UPDATED, "operator", "client"),
    (distributing.listing_published, Act.LISTING_PUBLISHED, "operator", "studio"),
    (distributing.listing_refused, Act.LISTING_REFUSED, "operator", "studio"),
    (distributing.listing_saved, Act.LISTING_SAVED, "super_admin", "studio"),
    (distributing.picture_added, Act.LISTING_SAVED, "super_admin", "studio"),
    (distributing.picture_removed, Act.LISTING_SAVED, "super_admin", "studio"),
    (distributing.listing_submitted, Act.LISTING_SUBMITTED, "super_admin", "studio"),
    (distributing.listing_withdrawn, Act.LISTING_WITHDRAWN, "super_admin", "studio"),
    (distributing.shared, Act.SHARE_CREATED, "super_admin", "studio"),
    (distributing.licence_changed, Act.SHARE_LICENCE_CHANGED, "super_admin", "studio"),
    (distributing.released, Act.SHARE_RELEASED, "super_admin", "studio"),
    (distributing.withdrawn, Act.SHARE_WITHDRAWN, "super_admin", "studio"),
    (people.invitation_accepted, Act.INVITATION_ACCEPTED, "operator", "studio"),
    (people.invitation_resent, Act.INVITATION_RESENT, "super_admin", "studio"),
    (people.invitation_sent, Act.INVITATION_SENT, "super_admin", "studio"),
    (people.invitation_withdrawn, Act.INVITATION_WITHDRAWN, "super_admin", "studio"),
    (people.role_changed, Act.MEMBERSHIP_CHANGED, "super_admin", "studio"),
    (people.deactivated, Act.MEMBERSHIP_DEACTIVATED, "super_admin", "studio"),
    (people.reactivated, Act.MEMBERSHIP_REACTIVATED, "super_admin", "studio"),
    (people.removed, Act.MEMBERSHIP_DELETED, "super_admin", "studio"),
    (administering.member_changed, Act.MEMBERSHIP_CHANGED, "operator", "studio"),
    (administering.member_added, Act.MEMBERSHIP_CREATED, "operator", "studio"),
    (administering.member_removed, Act.MEMBERSHIP_DELETED, "operator", "studio"),
    (administering.client_changed, Act.OAUTH_CLIENT_CHANGED, "operator", "studio"),
    (administering.client_created, Act.OAUTH_CLIENT_CREATED, "operator", "studio"),
    (administering.client_registered_by_command, Act.OAUTH_CLIENT_CREATED, "", "studio"),
    (administering.client_deleted, Act.OAUTH_CLIENT_DELETED, "operator", "studio"),
    (administering.organization_changed, Act.ORGANIZATION_CHANGED, "operator", "studio"),
    (administering.organization_created, Act.ORGANIZATION_CREATED, "operator", "new"),
    (administering.organization_deleted, Act.ORGANIZATION_DELETED, "operator", ""),
    (published, Act.RELEASE_PUBLISHED, "developer", "studio"),
    (rolled_back, Act.RELEASE_ROLLED_BACK, "developer", "studio"),
    (administering.right_given, Act.RIGHT_GIVEN, "operator", "studio"),
    (administering.right_taken, Act.RIGHT_TAKEN, "operator", "studio"),
    (token_key_renewed, Act.TOKEN_KEY_RENEWED, "", ""),
    (factors.address_changed, Act.USER_ADDRESS_CHANGED, "developer", "studio"),
    (factors.address_claimed, Act.USER_ADDRESS_CLAIMED, "developer", "studio"),
    (factors.address_confirmed, Act.USER_ADDRESS_CONFIRMED, "developer", "studio"),
    (
        factors.address_confirmed_by_an_operator,
        Act.USER_ADDRESS_CONFIRMED,
        "operator",
        "studio",
    ),
    (factors.address_removed, Act.USER_ADDRESS_REMOVED, "developer", "studio"),
    (administering.user_changed, Act.USER_CHANGED, "operator", "studio"),
    (administering.user_created, Act.USER_CREATED, "operator", ""),
    (administering.user_deleted, Act.USER_DELETED, "operator", ""),
    (factors.factor_added, Act.USER_FACTOR_ADDED, "developer", "studio"),
    (factors.factor_removed, Act.USER_FACTOR_REMOVED, "developer", "studio"),
    (factors.factor_removed_by_an_operator, Act.USER_FACTOR_REMOVED, "operator", "studio"),
    (password_changed, Act.USER_PASSWORD_CHANGED, "developer", "studio"),
    (administering.password_set_in_administration, Act.USER_PASSWORD_CHANGED, "operator", "studio"),
    (factors.code_used, Act.USER_RECOVERY_CODE_USED, "developer", "studio"),
    (factors.codes_generated, Act.USER_RECOVERY_CODES_GENERATED, "developer", "studio"),
    (factors.codes_viewed, Act.USER_RECOVERY_CODES_VIEWED, "developer", "studio"),
    (signed_in, Act.USER_SIGNED_IN, "developer", "studio"),
    (signed_out, Act.USER_SIGNED_OUT, "developer", "studio"),
    (sign_in_failed, Act.USER_SIGN_IN_FAILED, "", "studio"),
    (webhook_created, Act.WEBHOOK_CREATED, "developer", "studio"),
    (webhook_deleted, Act.WEBHOOK_DELETED, "developer", "studio"),
    (webhook_disabled, Act.WEBHOOK_DISABLED, "", "studio"),
    (webhook_enabled, Act.WEBHOOK_ENABLED, "developer", "studio"),
]
