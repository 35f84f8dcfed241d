"""Pages of the sandbox: home, sign-in, and the switches."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from oauth2_provider.models import Application

from sandbox.allowed_applications import allowed_applications, withdraw
from sandbox.forms import SignInForm, SwitchesForm
from sandbox.models import Mode, Switches


@login_not_required  # the home page explains the sandbox to everyone
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return render(request, "sandbox/welcome.html")
    context = {
        "applications": allowed_applications(request.user),
        "switches": Switches.current(),
    }
    return render(request, "sandbox/home.html", context)


sign_in = LoginView.as_view(
    template_name="sandbox/sign_in.html",
    authentication_form=SignInForm,
    redirect_authenticated_user=True,
)
sign_out = LogoutView.as_view()


@require_POST
def withdraw_access(request: HttpRequest, pk: int) -> HttpResponse:
    assert request.user.is_authenticated  # by LoginRequiredMiddleware
    application = get_object_or_404(Application, pk=pk)
    withdraw(request.user, application)
    messages.success(request, f"{application.name or application.client_id} no longer has access.")
    return redirect("home")


@require_http_methods(["GET", "POST"])
def switches(request: HttpRequest) -> HttpResponse:
    form = SwitchesForm(request.POST or None, instance=Switches.current())
    if form.is_valid():
        form.save()
        messages.success(request, "The switches were saved.")
        return redirect("switches")
    context = {"form": form, "any_active": Switches.current().any_active}
    return render(request, "sandbox/switches.html", context, status=422 if form.errors else 200)


@require_POST
def fail_api(request: HttpRequest) -> HttpResponse:
    """Let the API answer 500, in one press."""
    switches = Switches.current()
    switches.api = Mode.ERROR
    switches.save()
    messages.success(request, "The API answers 500 now.")
    return redirect("switches")


@require_POST
def reset_switches(request: HttpRequest) -> HttpResponse:
    Switches.objects.all().delete()
    messages.success(request, "Everything works again.")
    return redirect("switches")
