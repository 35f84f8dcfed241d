from typing import cast

from django.urls import URLPattern, path, re_path
from django.views.decorators.http import require_safe

from console.runtime.api import api
from console.runtime.views import View, not_found, proxied_call, public_api

app_name = "runtime"
patterns = [pattern for pattern in api.urls[0] if isinstance(pattern, URLPattern)]
for pattern in patterns:
    view = cast(View, pattern.callback)
    if pattern.name == "api-root":
        # django-ninja reverses this URL to find its prefix; there is nothing for programs.
        pattern.callback = not_found
    elif pattern.name == "openapi-json":
        pattern.callback = public_api(require_safe(view))
    else:
        pattern.callback = public_api(view)
urlpatterns = [
    *patterns,
    re_path(
        r"^connections/(?P<link_name>[^/]+)/proxy(?P<rest>/.*)?$", proxied_call, name="proxied_call"
    ),
    path("<path:rest>", not_found, name="nothing_here"),
]
