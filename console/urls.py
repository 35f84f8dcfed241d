from django.contrib import admin
from django.urls import include, path

from console.runtime.views import problem_detail
from console.views import applications, components, health, pages
from console.views.metrics import metrics

handler500 = "console.views.failing.failed"

urlpatterns = [
    path("", pages.home, name="home"),
    path("apps/", applications.application_list, name="application_list"),
    path("apps/<slug:link_name>/", applications.application_detail, name="application_detail"),
    path("applications/<uuid:pk>/components/", applications.component_list, name="component_list"),
    path(
        "applications/<uuid:pk>/components/new/",
        components.component_create,
        name="component_create",
    ),
    # /components/<uuid>/
    path("components/<uuid:pk>/", components.component_detail, name="component_detail"),
    path("components/<uuid:pk>/save/", components.component_save, name="component_save"),
    path("components/<uuid:pk>/check/", components.component_check, name="component_check"),
    path("components/<uuid:pk>/run/", components.component_run, name="component_run"),
    path("components/<uuid:pk>/delete/", components.component_delete, name="component_delete"),
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
    path("accounts/", include("console.signing_in.urls")),
    path("admin/", admin.site.urls),
    # For programs of applications
    path("api/v1/", include("console.runtime.urls")),
    path("problems/<slug:slug>", problem_detail, name="problem_detail"),
    # What browsers ask for on pages that are not ours, such as Django admin
    path("favicon.ico", pages.favicon, name="favicon"),
    # For whoever watches the deployment
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
