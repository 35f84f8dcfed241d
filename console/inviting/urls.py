from django.urls import path

from console.inviting import views

urlpatterns = [
    path("invitations/", views.invitation_detail, name="invitation_detail"),
    path("invitations/<str:token>/", views.invitation_open, name="invitation_open"),
]
