from django.urls import path

from console.transfer import views

urlpatterns = [
    # /applications/<uuid>/
    path("applications/<uuid:pk>/export/", views.application_export, name="application_export"),
    # /applications/import/
    path("applications/import/", views.application_import, name="application_import"),
    path("applications/import/<uuid:pk>/", views.upload_detail, name="upload_detail"),
    path("applications/import/<uuid:pk>/confirm/", views.upload_confirm, name="upload_confirm"),
    path("applications/import/<uuid:pk>/discard/", views.upload_discard, name="upload_discard"),
    # For programs that write or check files
    path("schemas/<slug:name>.json", views.schema_detail, name="schema_detail"),
]
