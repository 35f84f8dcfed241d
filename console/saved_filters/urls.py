from django.urls import path

from console.saved_filters import views

urlpatterns = [
    path("filters/", views.saved_filter_create, name="saved_filter_create"),
    path("filters/<uuid:pk>/", views.saved_filter_edit, name="saved_filter_edit"),
    path("filters/<uuid:pk>/delete/", views.saved_filter_delete, name="saved_filter_delete"),
]
