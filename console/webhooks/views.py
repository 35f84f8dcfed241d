"""Views for the webhooks of an application and their messages."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.policy import Action
from console.applications.models import Application
from console.pagination import paginate
from console.webhooks import registration
from console.webhooks.deliveries import send_again
from console.webhooks.forms import WebhookForm
from console.webhooks.models import Delivery, Webhook
from console.webhooks.payloads import test_message

PAGE_SIZE = 20


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_list(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the webhooks of an application and their messages; a POST registers a webhook."""
    application = get_object_or_404(
        Application.objects.allowing(request.user, Action.MANAGE_WEBHOOKS).select_related(
            "organization"
        ),
        pk=pk,
    )
    if request.method != "POST":
        return _page(request, application, WebhookForm())
    form = WebhookForm(request.POST)
    if not form.is_valid():
        return _page(request, application, form, status=422)
    try:
        webhook, secret = registration.register(application, form.cleaned_data["url"], request.user)
    except registration.TooManyWebhooks as error:
        form.add_error("url", str(error))
        return _page(request, application, form, status=409)
    return _page(request, application, WebhookForm(), created=webhook, secret=secret, status=201)


@require_POST
def webhook_test(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Send a test message."""
    webhook = _webhook(request, pk)
    delivery = test_message(webhook)
    if webhook.disabled_at is None:
        delivery.save()
    return _send_now(request, delivery)


@require_POST
def webhook_enable(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Enable a webhook again."""
    webhook = _webhook(request, pk)
    registration.enable(webhook, request.user)
    messages.success(request, f"{webhook} is enabled. Waiting messages will be sent soon.")
    return SeeOther(reverse("webhook_list", args=[webhook.application_id]))


@require_http_methods(["GET", "HEAD", "POST"])
def webhook_delete(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for confirmation; a POST deletes the webhook."""
    webhook = _webhook(request, pk)
    if request.method == "POST":
        registration.delete(webhook, request.user)
        messages.success(request, f"{webhook} was deleted and no longer receives events.")
        return SeeOther(reverse("webhook_list", args=[webhook.application_id]))
    return render(
        request,
        "webhooks/webhook_delete.html",
        {"webhook": webhook, "application": webhook.application},
    )


@require_POST
def delivery_resend(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Send a message again with the same id."""
    deliveries = Delivery.objects.allowing(request.user, Action.MANAGE_WEBHOOKS)
    return _send_now(request, get_object_or_404(deliveries.select_related("webhook"), pk=pk))


def _send_now(request: SignedInRequest, delivery: Delivery) -> HttpResponse:
    webhook = delivery.webhook
    if webhook.disabled_at:
        messages.error(request, f"{webhook} is disabled. Enable it first.")
    elif send_again(delivery):
        messages.success(request, f"{webhook} has accepted the message.")
    else:
        delivery.refresh_from_db()
        problem = delivery.problem or "The message is being sent."
        messages.error(request, f"{problem} The console retries automatically.")
    return SeeOther(reverse("webhook_list", args=[webhook.application_id]))


def _page(
    request: SignedInRequest,
    application: Application,
    form: WebhookForm,
    *,
    created: Webhook | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    webhooks = Webhook.objects.filter(
        application=application, organization=application.organization_id
    ).select_related("created_by")
    deliveries = Delivery.objects.filter(webhook__in=webhooks.values("pk"))
    return render(
        request,
        "webhooks/webhook_list.html",
        {
            "application": application,
            "form": form,
            "created": created,
            "secret": secret,
            "webhooks": webhooks.defer("secret"),
            "page": paginate(
                deliveries.select_related("webhook").defer("body", "webhook__secret"),
                request.GET,
                by="created_at",
                size=PAGE_SIZE,
            ),
        },
        status=status,
    )


def _webhook(request: SignedInRequest, pk: uuid.UUID) -> Webhook:
    webhooks = Webhook.objects.allowing(request.user, Action.MANAGE_WEBHOOKS)
    return get_object_or_404(webhooks.select_related("application__organization"), pk=pk)
