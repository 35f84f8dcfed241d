from django.urls import path

from console.health import views

urlpatterns = [path("health/", views.health_list, name="health_list")]
