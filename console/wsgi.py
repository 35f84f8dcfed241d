"""The console as a WSGI application; it refuses to start with keys that open nothing."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
application = get_wsgi_application()

from console.readiness import refuse_wrong_keys  # noqa: E402  (needs loaded applications)

refuse_wrong_keys()
