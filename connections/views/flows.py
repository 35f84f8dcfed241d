"""OAuth callback, and the pages that show the result of a flow."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from connections.authorizations import authorizing
from connections.authorizations.authorization_response import CallbackRefused, form_post_error
from connections.models import Authorization, Flow, PendingGrant
from connections.views.authorize import BROWSER_SESSION_KEY
from connections.views.flow_status import flow_context, flows_of
from connections.views.return_url import return_url
from console.accounts.http import SeeOther, SignedInRequest


# A redirect to the sign-in page would put the code into its URL. The view itself checks the user.
@login_not_required
# A service that sends a POST cannot know our CSRF token. The view reads nothing from the body.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def oauth_callback(request: SignedInRequest, reference: str) -> HttpResponse:
    """Complete the flow with the authorization response; redirect to a URL without the code."""
    try:
        if request.method == "POST":
            raise form_post_error()
        if not request.user.is_authenticated:
            raise CallbackRefused(
                "You are no longer signed in, so this authorization cannot be completed. "
                "Nothing was changed. Sign in and press Authorize again.",
                status=403,
            )
        flow = authorizing.complete(
            request.GET,
            reference=reference,
            user=request.user,
            browser=request.session.get(BROWSER_SESSION_KEY, ""),
        )
        if not flows_of(request).filter(pk=flow.pk).exists():  # they left the organization
            raise CallbackRefused(f"{flow.problem} Nothing was changed.", status=403)
    except CallbackRefused as refused:
        response = render(
            request,
            "connections/callback_refused.html",
            {"reason": str(refused)},
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
    """Show the result of a flow. In a popup the page closes automatically on success."""
    flow = get_object_or_404(flows_of(request), pk=pk)
    if flow.outcome == Flow.Outcome.CONFIRMING and not flow.is_expired:
        pending = PendingGrant.objects.filter(flow=flow).first()
        if pending:
            return SeeOther(reverse("account_replace", args=[pending.pk]))
    return render(request, "connections/flow_detail.html", flow_context(flow, request))


@never_cache
@require_safe
def flow_status(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Return the state of a flow as HTML. The page that opened the popup polls it every second.

    A page to which the person returns after a success is opened at once.
    """
    flow = flows_of(request).filter(pk=pk).first()
    if flow is None or (flow.is_waiting and not flow.is_expired):
        return render(request, "connections/_flow_status.html", {"pk": pk, "flow": flow})
    context = flow_context(flow, request)
    if request.htmx and flow.outcome == Flow.Outcome.COMPLETED and flow.return_url:
        authorization: Authorization | None = context.get("authorization")
        if authorization and authorization.credential:
            label = authorization.credential.label
            messages.success(request, f"{context['site']} is authorized as {label}.")
        return HttpResponseClientRedirect(flow.return_url)
    return render(request, "connections/_flow_status.html", context)


@require_POST
def flow_cancel(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Stop a flow, so that its callback is refused; return to the page that began it.

    The page may cancel before the popup has created the flow; then it names itself in ``next``.
    """
    stopped = authorizing.cancel(request.user, pk)
    flow = flows_of(request).filter(pk=pk).first()
    if flow and not stopped:
        return SeeOther(flow.get_absolute_url())  # it has ended: show the result
    messages.info(
        request,
        "The authorization was canceled. Nothing was changed."
        " If the service's page is still open, you can close it.",
    )
    retry_url = flow_context(flow, request).get("retry_url") if flow else return_url(request)
    return SeeOther(retry_url or reverse("home"))
