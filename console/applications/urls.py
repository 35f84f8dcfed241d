from django.urls import path

from console.applications import views

urlpatterns = [
    path("apps/", views.application_list, name="application_list"),
    path("apps/<slug:link_name>/", views.application_detail, name="application_detail"),
    path("applications/new/", views.application_create, name="application_create"),
    path(
        "applications/<uuid:pk>/settings/", views.application_settings, name="application_settings"
    ),
    path("applications/<uuid:pk>/delete/", views.application_delete, name="application_delete"),
    path(
        "apps/<slug:link_name>/unpublished/",
        views.application_unpublished,
        name="application_unpublished",
    ),
]
