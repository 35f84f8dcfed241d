from django.urls import path

from console.publishing.views import map_page, publish, releases

urlpatterns = [
    path("apps/<slug:link_name>/map/", map_page.application_map, name="application_map"),
    # /applications/<uuid>/
    path("applications/<uuid:pk>/publish/", publish.publish, name="publish"),
    path(
        "applications/<uuid:pk>/publish/preview/", publish.publish_preview, name="publish_preview"
    ),
    path("applications/<uuid:pk>/releases/", releases.release_list, name="release_list"),
    path("applications/<uuid:pk>/compare/", releases.release_compare, name="release_compare"),
    path(
        "applications/<uuid:pk>/changes/<slug:what>/<slug:link_name>/",
        releases.change_detail,
        name="change_detail",
    ),
    # /releases/<uuid>/
    path("releases/<uuid:pk>/", releases.release_detail, name="release_detail"),
    path("releases/<uuid:pk>/roll-back/", releases.release_roll_back, name="release_roll_back"),
]
