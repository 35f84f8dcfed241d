from django.urls import path

from console.invocations import views

urlpatterns = [
    path("connections/<uuid:pk>/calls/", views.connection_calls, name="connection_calls"),
    path("installed/connections/<uuid:pk>/calls/", views.installed_calls, name="installed_calls"),
]
