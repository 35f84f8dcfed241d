from django.urls import path

from console.keys.views import jwks, keys, open_application

urlpatterns = [
    # /applications/<uuid>/
    path("applications/<uuid:pk>/keys/", keys.key_list, name="key_list"),
    path(
        "applications/<uuid:pk>/open/", open_application.application_open, name="application_open"
    ),
    # /installed/<uuid>/: the same for clients
    path("installed/<uuid:pk>/keys/", keys.installation_keys, name="installation_keys"),
    path("installed/<uuid:pk>/open/", open_application.installation_open, name="installation_open"),
    path(
        "installed/keys/<uuid:pk>/revoke/",
        keys.installation_key_revoke,
        name="installation_key_revoke",
    ),
    # /keys/<uuid>/
    path("keys/<uuid:pk>/revoke/", keys.key_revoke, name="key_revoke"),
    # For applications that verify tokens themselves (RFC 7517)
    path(".well-known/jwks.json", jwks.jwks, name="jwks"),
]
