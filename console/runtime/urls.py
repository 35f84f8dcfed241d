from typing import cast

from django.urls import path
from django.views.decorators.http import require_safe

from console.runtime.api import api
from console.runtime.views import View, nothing_here, opened

app_name = "runtime"
patterns, _, _ = api.urls
for pattern in patterns:
    view = cast(View, pattern.callback)
    if pattern.name == "api-root":
        # By it ninja knows where it stands; nothing is there for programs.
        pattern.callback = nothing_here
    elif pattern.name == "openapi-json":
        pattern.callback = opened(require_safe(view))
    else:
        pattern.callback = opened(view)
urlpatterns = [*patterns, path("<path:rest>", nothing_here, name="nothing_here")]
