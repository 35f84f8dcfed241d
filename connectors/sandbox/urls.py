from __future__ import annotations

from django.urls import include, path
from oauth2_provider.views import OAuthServerMetadataView

from connectors.sandbox import api, guards, oauth, pages, steering

# The namespace and these names are the ones that the toolkit looks up for its metadata.
oauth_urls = [
    path(
        ".well-known/oauth-authorization-server",
        OAuthServerMetadataView.as_view(),
        name="oauth-server-metadata",
    ),
    path("oauth/authorize/", oauth.authorize, name="authorize"),
    path("oauth/token/", oauth.token, name="token"),
    path("oauth/revoke/", oauth.revoke, name="revoke-token"),
]

urlpatterns = [
    path("", pages.home, name="home"),
    path("sign-in/", pages.sign_in, name="sign_in"),
    path("sign-out/", pages.sign_out, name="sign_out"),
    path("applications/<int:pk>/withdraw/", pages.withdraw_access, name="withdraw_access"),
    path("switches/", pages.switches, name="switches"),
    path("switches/reset/", pages.reset_switches, name="reset_switches"),
    # By program
    path("switches.json", steering.switches_json, name="switches_json"),
    path("counts.json", steering.counts_json, name="counts_json"),
    path("elsewhere", steering.elsewhere, name="elsewhere"),
    path("", include((oauth_urls, "oauth2_provider"))),
    *api.urls("api/", guards.bearer),
    *api.urls("basic/api/", guards.basic),
    *api.urls("key/api/", guards.key),
]

handler400 = "connectors.sandbox.faults.bad_request"
handler403 = "connectors.sandbox.faults.forbidden"
handler404 = "connectors.sandbox.faults.not_found"
handler500 = "connectors.sandbox.faults.server_error"
