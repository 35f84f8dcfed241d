from django.urls import path

from connections.views import (
    authorizations,
    authorize,
    bulk,
    connection_settings,
    connections,
    flows,
    gallery,
    installed,
    oauth_client_detail,
    oauth_clients,
    people,
    replace,
    setup,
)

urlpatterns = [
    # /microservices/
    path("microservices/", connections.connection_list, name="connection_list"),
    path("microservices/new/", gallery.connector_list, name="connector_list"),
    path("microservices/new/<slug:slug>/", gallery.draft_start, name="draft_start"),
    path("microservices/bulk/", bulk.bulk_preview, name="bulk_preview"),
    path("microservices/bulk/<uuid:pk>/", bulk.bulk_run, name="bulk_run"),
    path("microservices/bulk/<uuid:pk>/continue/", bulk.bulk_continue, name="bulk_continue"),
    # /connections/<uuid>/
    path("connections/<uuid:pk>/", connections.connection_detail, name="connection_detail"),
    path(
        "connections/<uuid:pk>/setup/<slug:step>/", setup.connection_setup, name="connection_setup"
    ),
    path("connections/<uuid:pk>/discard/", setup.draft_discard, name="draft_discard"),
    path(
        "connections/<uuid:pk>/authorize/",
        authorize.connection_authorize,
        name="connection_authorize",
    ),
    path("connections/<uuid:pk>/reuse/", authorize.connection_reuse, name="connection_reuse"),
    path(
        "connections/<uuid:pk>/permissions/",
        connections.connection_permissions,
        name="connection_permissions",
    ),
    path(
        "connections/<uuid:pk>/oauth-client/",
        oauth_client_detail.connection_oauth_client,
        name="connection_oauth_client",
    ),
    path("connections/<uuid:pk>/rename/", connections.connection_rename, name="connection_rename"),
    path(
        "connections/<uuid:pk>/level/",
        connection_settings.connection_level,
        name="connection_level",
    ),
    path("connections/<uuid:pk>/people/", people.connection_people, name="connection_people"),
    path(
        "connections/<uuid:pk>/edit/", connection_settings.connection_edit, name="connection_edit"
    ),
    path(
        "connections/<uuid:pk>/disable/",
        connection_settings.connection_disable,
        name="connection_disable",
    ),
    path(
        "connections/<uuid:pk>/enable/",
        connection_settings.connection_enable,
        name="connection_enable",
    ),
    path("connections/<uuid:pk>/delete/", connections.connection_delete, name="connection_delete"),
    # /authorizations/<uuid>/
    path(
        "authorizations/<uuid:pk>/test/",
        authorizations.authorization_test,
        name="authorization_test",
    ),
    path(
        "authorizations/<uuid:pk>/label/",
        authorizations.authorization_label,
        name="authorization_label",
    ),
    path(
        "authorizations/<uuid:pk>/revoke/",
        authorizations.authorization_revoke,
        name="authorization_revoke",
    ),
    path(
        "authorizations/<uuid:pk>/revoke-for/",
        people.authorization_revoke_for,
        name="authorization_revoke_for",
    ),
    # /installed/connections/<uuid>/
    path(
        "installed/connections/<uuid:pk>/people/",
        people.installed_people,
        name="installed_people",
    ),
    path(
        "installed/connections/<uuid:pk>/",
        installed.installed_connection,
        name="installed_connection",
    ),
    path(
        "installed/connections/<uuid:pk>/authorize/",
        authorize.installed_authorize,
        name="installed_authorize",
    ),
    path(
        "installed/connections/<uuid:pk>/reuse/",
        authorize.installed_reuse,
        name="installed_reuse",
    ),
    path("installed/connections/<uuid:pk>/test/", installed.installed_test, name="installed_test"),
    path(
        "installed/connections/<uuid:pk>/label/", installed.installed_label, name="installed_label"
    ),
    path(
        "installed/connections/<uuid:pk>/revoke/",
        installed.installed_revoke,
        name="installed_revoke",
    ),
    # /oauth-clients/
    path("oauth-clients/", oauth_clients.oauth_client_list, name="oauth_client_list"),
    path("oauth-clients/new/", oauth_clients.oauth_client_services, name="oauth_client_services"),
    path(
        "oauth-clients/new/<slug:slug>/",
        oauth_clients.oauth_client_create,
        name="oauth_client_create",
    ),
    path(
        "oauth-clients/<uuid:pk>/",
        oauth_client_detail.oauth_client_detail,
        name="oauth_client_detail",
    ),
    path(
        "oauth-clients/<uuid:pk>/test/",
        oauth_client_detail.oauth_client_test,
        name="oauth_client_test",
    ),
    path(
        "oauth-clients/<uuid:pk>/default/",
        oauth_client_detail.oauth_client_default,
        name="oauth_client_default",
    ),
    path(
        "oauth-clients/<uuid:pk>/move/",
        oauth_client_detail.oauth_client_move,
        name="oauth_client_move",
    ),
    path(
        "oauth-clients/<uuid:pk>/delete/",
        oauth_client_detail.oauth_client_delete,
        name="oauth_client_delete",
    ),
    # The flow
    path("authorizations/replace/<uuid:pk>/", replace.account_replace, name="account_replace"),
    path("oauth/callback/<slug:reference>/", flows.oauth_callback, name="oauth_callback"),
    path("flows/<uuid:pk>/", flows.flow_detail, name="flow_detail"),
    path("flows/<uuid:pk>/status/", flows.flow_status, name="flow_status"),
    path("flows/<uuid:pk>/cancel/", flows.flow_cancel, name="flow_cancel"),
]
