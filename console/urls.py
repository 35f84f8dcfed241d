from django.contrib import admin
from django.urls import include, path

from console.runtime.views import api_reference, problem_detail

handler500 = "console.pages.errors.failed"

urlpatterns = [
    path("", include("console.pages.urls")),
    path("", include("console.applications.urls")),
    path("", include("console.components.urls")),
    path("", include("connections.urls")),
    path("", include("console.invocations.urls")),
    path("", include("console.keys.urls")),
    path("", include("console.health.urls")),
    path("", include("console.webhooks.urls")),
    path("", include("console.publishing.urls")),
    path("", include("console.distribution.urls")),
    path("", include("console.transfer.urls")),
    path("", include("console.audit.urls")),
    path("", include("console.inviting.urls")),
    path("", include("console.people.urls")),
    path("", include("console.search.urls")),
    path("", include("console.saved_filters.urls")),
    path("", include("console.guides.urls")),
    path("accounts/", include("console.signing_in.urls")),
    path("admin/", admin.site.urls),
    # Runtime API
    path("api/v1/", include("console.runtime.urls")),
    path("reference/", api_reference, name="api_reference"),
    path("problems/<slug:slug>", problem_detail, name="problem_detail"),
    # The nginx path
    path("internal/", include("console.gateway.urls")),
    # Monitoring of the deployment
    path("", include("console.monitoring.urls")),
]
