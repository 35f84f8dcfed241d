"""The way back from a service: its answer, and the page that says what came of it."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from connections.authorizations import authorizing
from connections.authorizations.authorization_response import CallbackRefused, form_post_error
from connections.models import Flow
from connections.models.authorization_site import AuthorizationSite
from connections.views.authorize import BROWSER
from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.models import Organization


# A redirect to sign-in would carry the code in its address; the view itself asks who it is.
@login_not_required
# A service that posts its answer cannot know our token. Nothing of what it posts is read.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def oauth_callback(request: SignedInRequest, reference: str) -> HttpResponse:
    """Take the service's answer, finish the flow, and go to a clean address."""
    try:
        if request.method == "POST":
            raise form_post_error()
        if not request.user.is_authenticated:
            raise CallbackRefused(
                "You are not signed in any more, so this authorization cannot be finished. "
                "Nothing was changed. Sign in and press Authorize again.",
                status=403,
            )
        flow = authorizing.complete(
            request.GET,
            reference=reference,
            user=request.user,
            browser=request.session.get(BROWSER, ""),
        )
        if not _flows(request).filter(pk=flow.pk).exists():  # he has left the organization
            raise CallbackRefused(f"{flow.problem} Nothing was changed.", status=403)
    except CallbackRefused as refused:
        response = render(
            request,
            "connections/callback_refused.html",
            {"sentence": str(refused)},
            status=refused.status,
        )
        if refused.status == 405:
            response["Allow"] = "GET, HEAD"
    else:
        response = SeeOther(flow.get_absolute_url())
    response["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
@require_safe
def flow_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what came of a flow; in the popup the page closes itself on success."""
    flow = get_object_or_404(_flows(request), pk=pk)
    return render(request, "connections/flow_detail.html", _outcome(flow, request))


@never_cache
@require_safe
def flow_status(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Tell the page that opened the popup how far the flow is; it asks every second."""
    flow = _flows(request).filter(pk=pk).first()
    return render(
        request,
        "connections/flow_detail.html#status",
        _outcome(flow, request) if flow else {"pk": pk},
    )


def _outcome(flow: Flow, request: SignedInRequest) -> dict:
    #: Nothing where the person may not authorize it any more, or it is not installed now.
    site = AuthorizationSite.of_flow(flow, request.user)
    context = {"flow": flow, "pk": flow.pk, "site": site, "connection": flow.connection}
    context["connector"] = site.connector if site else flow.connection.connector
    context["ended"] = flow.is_waiting and flow.is_expired
    if site and flow.outcome == Flow.Outcome.COMPLETED:
        context["authorization"] = (
            site.authorizations(flow.user)
            .filter(environment__in=flow.environments)
            .select_related("credential", "connection")
            .first()
        )
    return context


def _flows(request: SignedInRequest):
    return Flow.objects.filter(
        user=request.user, organization__in=Organization.objects.of(request.user)
    ).select_related("connection__application", "user")
