from django.urls import path

from console.people import views

urlpatterns = [
    path("people/", views.person_list, name="person_list"),
    path("people/<int:pk>/", views.person_detail, name="person_detail"),
    path("people/<int:pk>/role/", views.person_role, name="person_role"),
    path("people/<int:pk>/rights/", views.person_rights, name="person_rights"),
    *(
        path(f"people/<int:pk>/{verb}/", views.person_review, {"verb": verb}, name=f"person_{verb}")
        for verb in views.VERBS
    ),
    path("people/invitations/", views.member_invitations, name="member_invitations"),
    path("people/invitations/send/", views.member_invite, name="member_invite"),
    path(
        "people/invitations/<uuid:pk>/resend/",
        views.member_invitation_resend,
        name="member_invitation_resend",
    ),
    path(
        "people/invitations/<uuid:pk>/withdraw/",
        views.member_invitation_withdraw,
        name="member_invitation_withdraw",
    ),
]
