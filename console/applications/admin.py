"""Applications are created by super admins."""

from django.contrib import admin
from django.http import HttpRequest

from console.accounts.admin import PolicyAdmin
from console.accounts.policy import Action
from console.applications.models import Application
from console.audit.admin import RecordedAdmin


@admin.register(Application)
class ApplicationAdmin(RecordedAdmin, PolicyAdmin):
    action = Action.CREATE_APPLICATIONS
    list_display = ["name", "link_name", "organization", "created_at"]
    search_fields = ["name", "link_name"]
    prepopulated_fields = {}

    def get_readonly_fields(self, request: HttpRequest, obj: Application | None = None):
        """Keep what programs and addresses use."""
        return ["link_name", "organization"] if obj else []
