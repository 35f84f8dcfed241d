from __future__ import annotations

from django.urls import include, path
from oauth2_provider.views import OAuthServerMetadataView

from sandbox import api, authentication, oauth_views, pages, switch_api

# The toolkit looks up these names in this namespace for its metadata document.
oauth_urls = [
    path(
        ".well-known/oauth-authorization-server",
        OAuthServerMetadataView.as_view(),
        name="oauth-server-metadata",
    ),
    path("oauth/authorize/", oauth_views.authorize, name="authorize"),
    path("oauth/token/", oauth_views.token, name="token"),
    path("oauth/revoke/", oauth_views.revoke, name="revoke-token"),
]

urlpatterns = [
    path("", pages.home, name="home"),
    path("sign-in/", pages.sign_in, name="sign_in"),
    path("sign-out/", pages.sign_out, name="sign_out"),
    path("applications/<int:pk>/withdraw/", pages.withdraw_access, name="withdraw_access"),
    path("switches/", pages.switches, name="switches"),
    path("switches/api-fails/", pages.fail_api, name="fail_api"),
    path("switches/reset/", pages.reset_switches, name="reset_switches"),
    # For programs
    path("switches.json", switch_api.switches_json, name="switches_json"),
    path("counts.json", switch_api.counts_json, name="counts_json"),
    path("elsewhere", switch_api.elsewhere, name="elsewhere"),
    path("", include((oauth_urls, "oauth2_provider"))),
    *api.urls("api/", authentication.bearer),
    *api.urls("basic/api/", authentication.basic),
    *api.urls("key/api/", authentication.key),
]

handler400 = "sandbox.error_pages.bad_request"
handler403 = "sandbox.error_pages.forbidden"
handler404 = "sandbox.error_pages.not_found"
handler500 = "sandbox.error_pages.server_error"
