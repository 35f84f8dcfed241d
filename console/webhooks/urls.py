from django.urls import path

from console.webhooks import views

urlpatterns = [
    # /applications/<uuid>/
    path("applications/<uuid:pk>/webhooks/", views.webhook_list, name="webhook_list"),
    # /webhooks/<uuid>/
    path("webhooks/<uuid:pk>/test/", views.webhook_test, name="webhook_test"),
    path("webhooks/<uuid:pk>/enable/", views.webhook_enable, name="webhook_enable"),
    path("webhooks/<uuid:pk>/delete/", views.webhook_delete, name="webhook_delete"),
    path("deliveries/<uuid:pk>/resend/", views.delivery_resend, name="delivery_resend"),
]
