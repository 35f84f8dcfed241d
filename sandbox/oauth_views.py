"""OAuth 2 endpoints: the views of django-oauth-toolkit, changed by the switches."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from oauth2_provider.models import Application
from oauth2_provider.views import AuthorizationView as ToolkitAuthorizationView
from oauth2_provider.views import RevokeTokenView
from oauth2_provider.views import TokenView as ToolkitTokenView

from sandbox.failures import failing
from sandbox.models import Switches


class AuthorizationView(ToolkitAuthorizationView):
    """Ask a person whether an application may act for them (RFC 6749 section 4.1.1)."""

    template_name = "sandbox/consent.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().dispatch(request, *args, **kwargs)
        except (ValueError, Application.DoesNotExist):
            # oauthlib raises a bare ValueError for a query that it cannot decode, and the
            # toolkit does not handle an unknown client ID in the posted form.
            return self.refuse("The request cannot be read.")

    def render_to_response(self, context: dict[str, Any], **response_kwargs: Any) -> HttpResponse:
        """Show the consent page, or the error of the request."""
        if "error" in context:
            error = context["error"]
            return self.refuse(error.description or error.error, error.status_code)
        return super().render_to_response(context, **response_kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        host = urlsplit(kwargs["redirect_uri"]).netloc
        return super().get_context_data(**kwargs, return_to=host)

    def form_valid(self, form: Form) -> HttpResponse:
        scopes = form.cleaned_data["scope"].split()
        if Switches.current().grant_fewer_scopes and len(scopes) > 1:
            form.cleaned_data["scope"] = " ".join(scopes[:-1])
        return super().form_valid(form)

    def form_invalid(self, form: Form) -> HttpResponse:
        return self.refuse("The form was not complete.")

    def redirect(self, redirect_to: str, application: Application | None) -> HttpResponse:
        """Redirect back with the issuer (RFC 9207), also after an error."""
        return super().redirect(_with_issuer(redirect_to), application)

    def refuse(self, reason: str, status: int = 400) -> HttpResponse:
        return render(
            self.request, "sandbox/consent_refused.html", {"reason": reason}, status=status
        )


def _with_issuer(url: str) -> str:
    """Set ``iss`` in ``url`` as the switches say."""
    switches = Switches.current()
    parts = urlsplit(url)
    query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k != "iss"]
    if switches.wrong_iss:
        query.append(("iss", "https://somebody-else.example"))
    elif not switches.omit_iss:
        query.append(("iss", settings.ISSUER))
    return parts._replace(query=urlencode(query)).geturl()


class TokenView(ToolkitTokenView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Serve the two grant types of this server; the toolkit's third fails on invalid input."""
        return self.authorization_flow_token_response(request)


def _withdrawn(request: HttpRequest) -> HttpResponse:
    return _refusal("invalid_grant", "The authorization was withdrawn.")


def _refusal(code: str, description: str) -> JsonResponse:
    body = {"error": code, "error_description": description}
    return JsonResponse(body, status=400, headers={"Cache-Control": "no-store"})


@login_not_required  # the client authenticates itself
@csrf_exempt
@failing("token", revoked=_withdrawn)
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """Token endpoint: issue tokens for a code or a refresh token (RFC 6749 section 5)."""
    try:
        # In one transaction: of two requests with the same refresh token at the same time, one
        # counts as reuse. Without the transaction, the toolkit serves both.
        with transaction.atomic():
            response = TokenView.as_view()(request)
    except ValueError:
        # oauthlib and the toolkit raise a plain ValueError for what they cannot decode.
        return _refusal("invalid_request", "The request cannot be read.")
    return _apply_switches(response) if response.status_code == 200 else response


def _apply_switches(response: HttpResponse) -> HttpResponse:
    """Change a successful token response as the switches say."""
    switches = Switches.current()
    body = json.loads(response.content)
    if switches.withhold_refresh_token:
        body.pop("refresh_token", None)
    if switches.expires_in == "absent":
        body.pop("expires_in", None)
    elif switches.expires_in is not None:
        body["expires_in"] = switches.expires_in
    response.content = json.dumps(body)
    return response


@login_not_required  # the client authenticates itself
@csrf_exempt
@failing("revoke")
@require_POST
def revoke(request: HttpRequest) -> HttpResponse:
    """Revocation endpoint (RFC 7009)."""
    try:
        with transaction.atomic():
            return RevokeTokenView.as_view()(request)
    except ValueError:  # as in `token`
        return _refusal("invalid_request", "The request cannot be read.")


authorize = failing("authorize")(AuthorizationView.as_view())
