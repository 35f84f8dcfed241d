from django.urls import path

from console.gateway import views

urlpatterns = [
    path("route", views.gateway_route, name="gateway_route"),
    path("calls", views.gateway_calls, name="gateway_calls"),
]
