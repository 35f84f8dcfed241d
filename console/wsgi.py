"""The console's WSGI application: pages and the runtime API, without proxied calls.

:mod:`console.asgi` runs it, and adds the proxied calls.

Refuses to start if the encryption keys do not decrypt what is stored.
"""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
django = get_wsgi_application()

# These need loaded applications.
from console.invocations.log_writer import start  # noqa: E402
from console.monitoring.readiness import refuse_wrong_keys  # noqa: E402
from console.server.admission import AdmissionControl  # noqa: E402

refuse_wrong_keys()
start()
application = AdmissionControl(django)
