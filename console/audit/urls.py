from django.urls import path

from console.audit import views

urlpatterns = [
    path("activity/", views.event_list, name="event_list"),
    path("activity/<uuid:pk>/", views.event_detail, name="event_detail"),
    path("activity/export/<slug:form>/", views.event_export, name="event_export"),
]
