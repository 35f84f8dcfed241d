from django.urls import path

from console.keys.views import keys, opening, signing

urlpatterns = [
    # /applications/<uuid>/
    path("applications/<uuid:pk>/keys/", keys.key_list, name="key_list"),
    path("applications/<uuid:pk>/open/", opening.application_open, name="application_open"),
    # /keys/<uuid>/
    path("keys/<uuid:pk>/revoke/", keys.key_revoke, name="key_revoke"),
    # For applications that verify tokens themselves (RFC 7517)
    path(".well-known/jwks.json", signing.jwks, name="jwks"),
]
