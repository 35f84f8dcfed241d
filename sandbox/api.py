"""The API: profile, contacts and orders, for each of the three ways of authentication."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from sandbox.authentication import WITHDRAWN, Guard, RequestRefused, refusal
from sandbox.failures import failing
from sandbox.forms import ContactForm, OrderForm
from sandbox.models import Person
from sandbox.payload import json_object, whole_number

#: Handles one method of one resource for the authenticated person.
Handler = Callable[[HttpRequest, Person], JsonResponse]


def read_me(request: HttpRequest, person: Person) -> JsonResponse:
    return JsonResponse(person.as_json())


def list_contacts(request: HttpRequest, person: Person) -> JsonResponse:
    contacts = person.contacts.all()
    search = request.GET.get("q", "").strip()
    if "\0" in search:
        contacts = contacts.none()  # SQLite would cut the pattern at the NUL, and find all
    elif search:
        contacts = contacts.filter(
            Q(name__icontains=search) | Q(email__icontains=search) | Q(company__icontains=search)
        )
    return _page(request, "contacts", contacts)


def add_contact(request: HttpRequest, person: Person) -> JsonResponse:
    return _create(request, ContactForm, person)


def list_orders(request: HttpRequest, person: Person) -> JsonResponse:
    return _page(request, "orders", person.orders.all())


def place_order(request: HttpRequest, person: Person) -> JsonResponse:
    return _create(request, OrderForm, person)


def _page(request: HttpRequest, name: str, rows: QuerySet[Any]) -> JsonResponse:
    limit = whole_number(request, "limit", default=50, minimum=1, maximum=100)
    offset = whole_number(request, "offset", default=0, minimum=0, maximum=1_000_000)
    return JsonResponse(
        {
            name: [row.as_json() for row in rows[offset : offset + limit]],
            "total": rows.count(),
            "limit": limit,
            "offset": offset,
        }
    )


def _create(request: HttpRequest, form_class: type[ModelForm], person: Person) -> JsonResponse:
    data = json_object(request)
    if nested := [name for name, value in data.items() if isinstance(value, (dict, list))]:
        message = f"These fields cannot be lists or objects: {', '.join(sorted(nested))}."
        return refusal(400, "invalid_value", message[:200])
    form = form_class(data)
    form.instance.owner = person
    if not form.is_valid():
        body = {"error": "invalid", "message": "Some fields are not valid.", "fields": form.errors}
        return JsonResponse(body, status=422)
    return JsonResponse(form.save().as_json(), status=201)


#: Path, then method, to the required scope and the handler.
RESOURCES: dict[str, dict[str, tuple[str, Handler]]] = {
    "me": {"GET": ("profile.read", read_me)},
    "contacts": {
        "GET": ("contacts.read", list_contacts),
        "POST": ("contacts.write", add_contact),
    },
    "orders": {"GET": ("orders.read", list_orders), "POST": ("orders.write", place_order)},
}


def _view(handlers: dict[str, tuple[str, Handler]], guard: Guard) -> Callable[..., HttpResponse]:
    @login_not_required  # the guard names the person
    @csrf_exempt
    @failing("api", revoked=WITHDRAWN[guard])
    def view(request: HttpRequest) -> HttpResponse:
        method = "GET" if request.method == "HEAD" else request.method
        if method not in handlers:
            allowed = ", ".join(handlers)
            response = refusal(405, "method_not_allowed", f"Allowed here: {allowed}.")
            response["Allow"] = allowed
            return response
        scope, handler = handlers[method]
        try:
            return handler(request, guard(request, scope))
        except RequestRefused as refused:
            return refused.response

    return view


def urls(prefix: str, guard: Guard) -> list[URLPattern]:
    """Return the URL patterns of all resources under ``prefix``; the last slash is optional."""
    return [
        re_path(f"^{prefix}{path}/?$", _view(handlers, guard))
        for path, handlers in RESOURCES.items()
    ]
