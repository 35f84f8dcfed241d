"""Register every ``ModelAdmin`` of the console; nothing else registers any.

``ConsoleAdminConfig`` imports this module and no other app's ``admin`` module, so that what
django-allauth and django-axes would register stays out. Sessions (``UserSession``) have no
page: people see their own under *Security*, and nobody needs those of others.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group

from connections.models import OAuthClient
from console.accounts.models import Membership, Organization, User
from console.administration.applications import ApplicationAdmin
from console.administration.installations import InstallationAdmin
from console.administration.invitations import InvitationAdmin
from console.administration.oauth_clients import OAuthClientAdmin
from console.administration.organizations import OrganizationAdmin
from console.administration.people import MembershipAdmin
from console.administration.sign_in import AuthenticatorAdmin, EmailAddressAdmin
from console.administration.users import UserAdmin
from console.applications.models import Application
from console.inviting.models import Invitation
from console.publishing.models import Installation

# ``django.contrib.auth.admin``, the home of Django's UserAdmin, registers groups when it is
# imported. Roles are memberships here.
admin.site.unregister(Group)

admin.site.register(User, UserAdmin)
admin.site.register(EmailAddress, EmailAddressAdmin)
admin.site.register(Authenticator, AuthenticatorAdmin)
admin.site.register(Organization, OrganizationAdmin)
admin.site.register(Membership, MembershipAdmin)
admin.site.register(Invitation, InvitationAdmin)
admin.site.register(Application, ApplicationAdmin)
admin.site.register(Installation, InstallationAdmin)
admin.site.register(OAuthClient, OAuthClientAdmin)
