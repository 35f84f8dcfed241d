from django.urls import path

from console.distribution.views import clients, installed, listings, marketplace_pages, run

urlpatterns = [
    # /clients/
    path("clients/", clients.client_list, name="client_list"),
    path("clients/invite/", clients.client_invite, name="client_invite"),
    path(
        "clients/invitations/<uuid:pk>/resend/",
        clients.client_invitation_resend,
        name="client_invitation_resend",
    ),
    path(
        "clients/invitations/<uuid:pk>/withdraw/",
        clients.client_invitation_withdraw,
        name="client_invitation_withdraw",
    ),
    # /shares/<uuid>/
    path("applications/<uuid:pk>/share/", clients.share_create, name="share_create"),
    path("shares/<uuid:pk>/", clients.share_detail, name="share_detail"),
    path("shares/<uuid:pk>/release/", clients.share_release, name="share_release"),
    path("shares/<uuid:pk>/license/", clients.share_license, name="share_license"),
    path("shares/<uuid:pk>/withdraw/", clients.share_withdraw, name="share_withdraw"),
    path("installed/shared/<uuid:pk>/", marketplace_pages.share_install, name="share_install"),
    # /applications/<uuid>/listing/
    path("applications/<uuid:pk>/listing/", listings.listing_edit, name="listing_edit"),
    path("applications/<uuid:pk>/listing/pictures/", listings.picture_add, name="picture_add"),
    path("applications/<uuid:pk>/listing/submit/", listings.listing_submit, name="listing_submit"),
    path(
        "applications/<uuid:pk>/listing/withdraw/",
        listings.listing_withdraw,
        name="listing_withdraw",
    ),
    path("pictures/<uuid:pk>/remove/", listings.picture_remove, name="picture_remove"),
    # /marketplace/
    path("marketplace/", marketplace_pages.marketplace, name="marketplace"),
    path("marketplace/reviews/", listings.review_list, name="review_list"),
    path("marketplace/reviews/<uuid:pk>/", listings.listing_review, name="listing_review"),
    path("marketplace/pictures/<uuid:pk>/", listings.listing_picture, name="listing_picture"),
    # The primary key is that of the application: it stays when the listing is replaced
    path("marketplace/<uuid:pk>/", marketplace_pages.listing_detail, name="listing_detail"),
    path(
        "marketplace/<uuid:pk>/install/", marketplace_pages.listing_install, name="listing_install"
    ),
    # /installed/
    path("installed/", installed.installation_list, name="installation_list"),
    path("installed/<uuid:pk>/", installed.installation_detail, name="installation_detail"),
    path("installed/<uuid:pk>/my-connections/", installed.my_connections, name="my_connections"),
    path(
        "installed/<uuid:pk>/run/<slug:link_name>/",
        run.installation_run,
        name="installation_run",
    ),
    path("installed/<uuid:pk>/update/", installed.installation_update, name="installation_update"),
    path(
        "installed/<uuid:pk>/uninstall/",
        installed.installation_uninstall,
        name="installation_uninstall",
    ),
]
