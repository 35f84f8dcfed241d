from django.urls import path

from console.pages import views

urlpatterns = [
    path("", views.home, name="home"),
    # Browsers request it on pages without our icon link, such as Django admin.
    path("favicon.ico", views.favicon, name="favicon"),
    path("site.webmanifest", views.manifest, name="manifest"),
]
