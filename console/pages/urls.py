from django.urls import path

from console.pages import views

urlpatterns = [
    path("", views.home, name="home"),
    # Browsers ask for it on pages that are not ours, such as Django admin.
    path("favicon.ico", views.favicon, name="favicon"),
]
