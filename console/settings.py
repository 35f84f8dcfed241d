"""Django settings of the console, read from environment variables with django-environ.

Secrets have no default: without ``SECRET_KEY`` or ``CRYPTOGRAPHY_KEYS`` a server does not start.
``manage.py`` sets the environment of the demo in a fresh checkout.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from console.monitoring.logs import configuration

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# Secrets, URLs and hosts

SECRET_KEY = env("SECRET_KEY")
#: Fernet keys. The first one encrypts; all of them decrypt.
CRYPTOGRAPHY_KEYS: list[str] = env.list("CRYPTOGRAPHY_KEYS")
DEBUG = env.bool("DEBUG", default=False)

#: Public base URL of this console. Every redirect URI starts with it.
PUBLIC_URL: str = env("PUBLIC_URL").rstrip("/")
#: The path of PUBLIC_URL, if any. The proxy strips it; the console adds it to every URL.
FORCE_SCRIPT_NAME = urlsplit(PUBLIC_URL).path or None
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[urlsplit(PUBLIC_URL).hostname or ""])
CSRF_TRUSTED_ORIGINS = [urlsplit(PUBLIC_URL)._replace(path="").geturl()]

#: "host:port" of services that may have a private IP address and use plain http.
ALLOWED_PRIVATE_HOSTS: list[str] = env.list("ALLOWED_PRIVATE_HOSTS", str.strip, default=[])
#: Base URL of the sandbox service; empty in production, which hides the sandbox connectors.
SANDBOX_URL: str = env("SANDBOX_URL", default="").rstrip("/")
#: Accounts that the demo created, between which people can change without a password.
DEMO_ACCOUNTS: list[str] = env.list("DEMO_ACCOUNTS", str.strip, default=[])
#: Folders with additional connector definitions of this deployment.
EXTRA_CATALOGUES: list[str] = env.list("EXTRA_CATALOGUES", str.strip, default=[])

# Applications

INSTALLED_APPS = [
    "console.apps.ConsoleConfig",
    "console.accounts",
    "console.audit",
    "console.encryption",
    "console.applications",
    "console.components",
    "console.saved_filters",
    "connections",
    "console.keys",
    "console.invocations",
    "console.health",
    "console.webhooks",
    "console.publishing",
    "console.distribution",
    "console.transfer",
    "console.people",
    "console.inviting",
    "console.jobs",
    "connectors",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "console.signing_in",
    "console.administration",
    "csp",
    "django_htmx",
    "django_tasks",
    "template_partials",
    "console.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "console.monitoring.logs.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "console.accounts.no_store.NoStoreMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "console.accounts.active_organization.ActiveOrganizationMiddleware",
    "console.accounts.policy_middleware.PolicyMiddleware",
    "console.signing_in.ended_session.SignInRequiredMiddleware",
    "console.signing_in.ended_session.FormURLMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "console.audit.middleware.UnrecordedMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "console.urls"
WSGI_APPLICATION = "console.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.pages.shell.shell",
            ],
            "builtins": ["console.templatetags.interface"],
        },
    }
]

#: Publishing sends one field for each component of the application; this fits the largest one.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6_000

# Database and cache

DATABASES = {"default": env.db_url("DATABASE_URL")}
DATABASE = DATABASES["default"]
if DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    DATABASE["OPTIONS"] = {
        # A transaction that starts with a read and then writes must not fail half-way.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # Closing the last connection checkpoints the journal, which is too slow for every request.
    DATABASE["CONN_MAX_AGE"] = 60
else:
    DATABASE.setdefault("OPTIONS", {})["pool"] = {
        "min_size": 1,
        "max_size": 8,
        "timeout": 10,
        # By default the pool retries an unreachable database at growing intervals for minutes. Here
        # it gives up after ten seconds, and the next request tries again.
        "reconnect_timeout": 10,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}

# Background tasks

#: Backend of django-tasks for ``refresh_due``, ``check_health``, mail and webhooks. The default
#: runs tasks in the calling process; other backends run them in workers.
TASKS = {
    "default": {
        "BACKEND": env("TASKS_BACKEND", default="django_tasks.backends.immediate.ImmediateBackend"),
        "QUEUES": [],
    }
}
#: Hours between health checks of a credential.
HEALTH_CHECK_HOURS = env.float("HEALTH_CHECK_HOURS", default=24)

# Call log and metrics

#: Days for which the call log is kept.
INVOCATION_DAYS = env.int("INVOCATION_DAYS", default=30)
#: Bearer token for ``/metrics``; without it the page does not exist.
METRICS_TOKEN: str = env("METRICS_TOKEN", default="")

# Authentication

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "console.signing_in.backends.ConfirmedAddressBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "console.signing_in.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_FORMS = {
    "reset_password": "console.signing_in.forms.ResetPasswordForm",
    "confirm_email_verification_code": "console.signing_in.forms.ConfirmCodeForm",
}
# Only confirmed e-mail addresses are valid. They are confirmed with a code in the same browser: a
# link would let the owner of an address confirm a claim that another person made.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_RATE_LIMITS = {
    # All attempts from one IP address, which a whole office may share.
    "login": "300/m/ip",
    # Failed attempts for one account from one IP address.
    "login_failed": "5/5m/key",
    # Failed attempts for all accounts from one IP address, in browsers that never signed in.
    "login_spread": "100/10m/key",
    # Codes mailed to one e-mail address.
    "confirm_email": "1/10s/key,10/h/key",
}
#: Number of reverse proxies whose X-Forwarded-For entries the sign-in limits trust.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
#: Seconds before sensitive actions ask for the password again.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
# Changing an e-mail address asks for the password: password resets go to that address.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
PASSWORD_RESET_TIMEOUT = 3600

MFA_ADAPTER = "console.signing_in.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Operators and super admins create accounts, so nobody can sign up with another person's address.
MFA_ALLOW_UNVERIFIED_EMAIL = True

# Failed attempts for one account from one IP address, and how long the lockout then lasts.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_USERNAME_CALLABLE = "console.signing_in.lockout.account"
AXES_CLIENT_IP_CALLABLE = "console.signing_in.lockout.address"
AXES_LOCKOUT_CALLABLE = "console.signing_in.lockout.refuse"
AXES_SENSITIVE_PARAMETERS = ["csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

# Proxied calls to services

#: Seconds to wait for response headers, and for each chunk of a body (connectors/http/stream.py).
PROXY_SECONDS = env.float("PROXY_SECONDS", default=60.0)
#: Seconds that an event stream may last, however active it is.
PROXY_STREAM_SECONDS = env.float("PROXY_STREAM_SECONDS", default=3600.0)
PROXY_MAX_REQUEST_BYTES = env.int("PROXY_MAX_REQUEST_BYTES", default=100 * 1024**2)
PROXY_MAX_ANSWER_BYTES = env.int("PROXY_MAX_ANSWER_BYTES", default=10 * 1024**3)

#: Shared with nginx if it makes the calls itself (docs/guides/nginx.md); empty if it does not.
GATEWAY_SECRET: str = env("GATEWAY_SECRET", default="")
if 0 < len(GATEWAY_SECRET) < 32:
    raise ImproperlyConfigured("GATEWAY_SECRET is too short; use 32 random characters or more.")

# Concurrency limits of a process


#: Proxied calls in progress: to one service, with one key, and in total. They wait on the event
#: loop, so they cost memory (about 40 kB each) and two open sockets each, but no thread.
PROXY_CALLS_AT_ONCE_PER_SERVICE = env.int("PROXY_CALLS_AT_ONCE_PER_SERVICE", default=1_000)
PROXY_CALLS_AT_ONCE_PER_KEY = env.int("PROXY_CALLS_AT_ONCE_PER_KEY", default=2_000)
PROXY_CALLS_AT_ONCE = env.int("PROXY_CALLS_AT_ONCE", default=4_000)
#: Threads that handle all other requests (console/asgi.py): pages, runs of functions and
#: workflows, tests. A call that one of these makes holds its thread until the service responds.
WEB_THREADS = env.int("WEB_THREADS", default=64)
_EIGHTH = max(1, WEB_THREADS // 8)
#: Of these threads, the most that wait for one service, handle requests with one key, and handle
#: requests of all programs. Each limit is below the next, so that no service and no key can use up
#: all threads.
THREADS_PER_SERVICE = env.int("THREADS_PER_SERVICE", default=3 * _EIGHTH)
THREADS_PER_KEY = env.int("THREADS_PER_KEY", default=4 * _EIGHTH)
THREADS_OF_PROGRAMS = env.int("THREADS_OF_PROGRAMS", default=5 * _EIGHTH)
#: Threads for calls from pages, such as a run or a test, and separately the same number for token
#: and revocation requests. One session can use half of them. The remaining threads, 12 of 64,
#: always serve pages.
THREADS_OF_PEOPLE = env.int("THREADS_OF_PEOPLE", default=max(2, 3 * _EIGHTH // 4))

# Sessions, cookies and security headers

SECURE = PUBLIC_URL.startswith("https://")
SESSION_ENGINE = "console.signing_in.session_store"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-console" if SECURE else "console"
CSRF_COOKIE_NAME = "__Host-console-csrf" if SECURE else "console-csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "console.signing_in.ended_session.explain_csrf_failure"
# The redirect back from a service must include the session cookie; Strict would not send it.
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"(^|/)healthz$", r"(^|/)readyz$", r"(^|/)metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Static files, language, mail, logging

# Absolute: a relative URL would include the organization in the path of the request.
STATIC_URL = f"{FORCE_SCRIPT_NAME or ''}/static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=BASE_DIR / "var" / "static")
#: Logos from EXTRA_CATALOGUES take precedence over the built-in ones.
_LOGOS = [Path(folder, "logos") for folder in EXTRA_CATALOGUES[::-1]]
STATICFILES_DIRS = [*(("connectors", f) for f in _LOGOS if f.is_dir()), BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "console.stylesheet.finder.StylesheetFinder",
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "console.stylesheet.storage.MinifiedStaticFilesStorage"
    },
}

WHITENOISE_KEEP_ONLY_HASHED_FILES = True

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
FORMAT_MODULE_PATH = "console.formats"
USE_TZ = True

# Mail contains sign-in links, so by default it is discarded and never logged.
vars().update(env.email_url("EMAIL_URL", default="dummymail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default=f"console@{urlsplit(PUBLIC_URL).hostname}")

#: "json" writes one JSON document per line; "line" is for people.
LOG_FORMAT: str = env("LOG_FORMAT", default="line")
LOGGING = configuration(form=LOG_FORMAT, level=env("LOG_LEVEL", default="INFO"))
