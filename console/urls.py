from django.contrib import admin
from django.urls import include, path

from console.views import health, pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("apps/", pages.application_list, name="application_list"),
    path("apps/<slug:link_name>/", pages.application_detail, name="application_detail"),
    path("", include("connections.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    # What browsers ask for on pages that are not ours, such as Django admin
    path("favicon.ico", pages.favicon, name="favicon"),
    # For whoever watches the deployment
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
