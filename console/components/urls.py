from django.urls import path

from console.components import views

urlpatterns = [
    path("applications/<uuid:pk>/components/", views.component_list, name="component_list"),
    path("applications/<uuid:pk>/components/new/", views.component_create, name="component_create"),
    path("components/<uuid:pk>/", views.component_detail, name="component_detail"),
    path("components/<uuid:pk>/save/", views.component_save, name="component_save"),
    path("components/<uuid:pk>/check/", views.component_check, name="component_check"),
    path("components/<uuid:pk>/run/", views.component_run, name="component_run"),
    path("components/<uuid:pk>/delete/", views.component_delete, name="component_delete"),
]
