from django.urls import path

from console.applications import views

urlpatterns = [
    path("apps/", views.application_list, name="application_list"),
    path("apps/<slug:link_name>/", views.application_detail, name="application_detail"),
]
