"""The console as a WSGI application; it refuses to start with keys that open nothing."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
django = get_wsgi_application()

# These need loaded applications.
from console.admission import Admission  # noqa: E402
from console.invocations.recording import start  # noqa: E402
from console.readiness import refuse_wrong_keys  # noqa: E402
from console.runtime.door import Door  # noqa: E402

refuse_wrong_keys()
start()
application = Admission(Door(django))
