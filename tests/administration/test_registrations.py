"""``console/administration/admin.py`` is the only place that registers admin pages."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin

from connections.models import OAuthClient
from console.accounts.models import Membership, Organization, User
from console.administration.audit_mixin import AuditMixin
from console.applications.models import Application
from console.inviting.models import Invitation
from console.publishing.models import Installation

#: Their admin pages save rows; those of the others call functions that record the change.
SAVED_BY_ADMIN_PAGES = {User, Organization, Application, OAuthClient}
OTHERS = {EmailAddress, Authenticator, Membership, Invitation, Installation}


def test_it_registers_each_model_with_a_class_of_the_console():
    registered = admin.site._registry
    assert set(registered) == SAVED_BY_ADMIN_PAGES | OTHERS
    modules = {type(page).__module__ for page in registered.values()}
    assert all(module.startswith("console.administration.") for module in modules)


def test_pages_that_save_rows_record_their_changes():
    pages = admin.site._registry
    assert {m for m, page in pages.items() if isinstance(page, AuditMixin)} == SAVED_BY_ADMIN_PAGES
