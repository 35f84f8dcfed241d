"""Settings of the console, all read from the environment by django-environ.

Nothing secret has a default: without ``SECRET_KEY`` or ``CRYPTOGRAPHY_KEYS`` a server
does not start. ``manage.py`` gives a bare checkout the demo's environment.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF

from console.monitoring.logs import configuration

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# Keys and addresses

SECRET_KEY = env("SECRET_KEY")
#: Fernet keys; the first one writes, all of them read.
CRYPTOGRAPHY_KEYS: list[str] = env.list("CRYPTOGRAPHY_KEYS")
DEBUG = env.bool("DEBUG", default=False)

#: Where people and services reach this console; every redirect URI starts with it.
PUBLIC_URL: str = env("PUBLIC_URL").rstrip("/")
#: The path of it, if any: the proxy takes it off, the console puts it before every address.
FORCE_SCRIPT_NAME = urlsplit(PUBLIC_URL).path or None
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[urlsplit(PUBLIC_URL).hostname or ""])
CSRF_TRUSTED_ORIGINS = [urlsplit(PUBLIC_URL)._replace(path="").geturl()]

#: "host:port" of services that may have a private address and speak plain http.
ALLOWED_PRIVATE_HOSTS: list[str] = env.list("ALLOWED_PRIVATE_HOSTS", str.strip, default=[])
#: Where the sandbox service listens; empty in production, where its connectors are not offered.
SANDBOX_URL: str = env("SANDBOX_URL", default="").rstrip("/")
#: Folders with connector definitions of this deployment's own, beside the built-in ones.
EXTRA_CATALOGUES: list[str] = env.list("EXTRA_CATALOGUES", str.strip, default=[])

# Applications

INSTALLED_APPS = [
    "console.apps.ConsoleConfig",
    "console.accounts",
    "console.audit",
    "console.encryption",
    "console.applications",
    "console.components",
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
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
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

#: A tick for each component of the largest application, and what else a form holds.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6_000

# Rows

DATABASES = {"default": env.db_url("DATABASE_URL")}
DATABASE = DATABASES["default"]
if DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    DATABASE["OPTIONS"] = {
        # A transaction that starts with a read and then writes must not fail half-way.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # Closing the last connection writes the whole journal back: not after each request.
    DATABASE["CONN_MAX_AGE"] = 60
else:
    DATABASE.setdefault("OPTIONS", {})["pool"] = {
        "min_size": 1,
        "max_size": 8,
        "timeout": 10,
        # By itself a pool asks a database that is away ever more seldom, for minutes: here it
        # gives up after ten seconds, and the next request asks again.
        "reconnect_timeout": 10,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}

# Work in the background

#: Where the visits of ``refresh_due`` and ``check_health`` run, and mail and webhooks are sent
#: from: in the command itself, or in the workers of another back end of django-tasks.
TASKS = {
    "default": {
        "BACKEND": env("TASKS_BACKEND", default="django_tasks.backends.immediate.ImmediateBackend"),
        "QUEUES": [],
    }
}
#: How often the check call of a connector is made for each credential.
HEALTH_CHECK_HOURS = env.float("HEALTH_CHECK_HOURS", default=24)

# The log of calls, and numbers for whoever watches the deployment

#: For how many days it is known what was called through a connection.
INVOCATION_DAYS = env.int("INVOCATION_DAYS", default=30)
#: What ``/metrics`` asks for as a bearer token; without it there is no such page.
METRICS_TOKEN: str = env("METRICS_TOKEN", default="")

# People

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
# Only a confirmed address counts. It is confirmed by a code in the browser that asked for it: a
# link would let whoever is mailed confirm what somebody else claims.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_RATE_LIMITS = {
    # All tries of a place; a whole office signs in from one network address.
    "login": "300/m/ip",
    # Wrong ones for one account from one place.
    "login_failed": "5/5m/key",
    # Wrong ones for all accounts from one place, where its browser has not signed in before.
    "login_spread": "100/10m/key",
    # Codes that are mailed to one address.
    "confirm_email": "1/10s/key,10/h/key",
}
#: How many proxies stand before the console: whose X-Forwarded-For sign-in limits believe.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
#: Seconds within which nobody is asked for the password again.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
# A link for a new password goes to that address.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
PASSWORD_RESET_TIMEOUT = 3600

MFA_ADAPTER = "console.signing_in.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Operators and super admins make the accounts: nobody signs up with another person's address.
MFA_ALLOW_UNVERIFIED_EMAIL = True

# Wrong passwords for one account from one address, and how long it then takes no more of them.
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
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Calls that are passed on to services

#: Seconds for the head of an answer, and for each piece of a body (connectors/http/stream.py).
PROXY_SECONDS = env.float("PROXY_SECONDS", default=60.0)
PROXY_MAX_REQUEST_BYTES = env.int("PROXY_MAX_REQUEST_BYTES", default=100 * 1024**2)
PROXY_MAX_ANSWER_BYTES = env.int("PROXY_MAX_ANSWER_BYTES", default=10 * 1024**3)

# The threads of a process, and what they are for

#: Requests are answered in these (console/asgi.py). A call holds one until its service has
#: answered.
WEB_THREADS = env.int("WEB_THREADS", default=64)
_EIGHTH = max(1, WEB_THREADS // 8)
#: Calls of programs that are under way at once: to one service, with one key, and altogether.
#: Each leaves something to the next, so that none of them can take everything.
PROXY_CALLS_AT_ONCE = env.int("PROXY_CALLS_AT_ONCE", default=3 * _EIGHTH)
CALLS_AT_ONCE_PER_KEY = env.int("CALLS_AT_ONCE_PER_KEY", default=4 * _EIGHTH)
CALLS_AT_ONCE = env.int("CALLS_AT_ONCE", default=5 * _EIGHTH)
#: Calls that pages make, such as a run or a test, and apart from them as many that ask for a
#: token or give one back. One session has a half of them. What is left, 12 threads of 64,
#: answers pages whatever waits.
CALLS_AT_ONCE_OF_PEOPLE = env.int("CALLS_AT_ONCE_OF_PEOPLE", default=max(2, 3 * _EIGHTH // 4))

# The browser

SECURE = PUBLIC_URL.startswith("https://")
SESSION_ENGINE = "console.signing_in.session_store"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-console" if SECURE else "console"
CSRF_COOKIE_NAME = "__Host-console-csrf" if SECURE else "console-csrf"
CSRF_COOKIE_HTTPONLY = True
# A service's redirect back to us must carry the session; Strict would not send it.
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
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Files, words, mail, log

# Not relative: it would follow the organization in a request's address.
STATIC_URL = f"{FORCE_SCRIPT_NAME or ''}/static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=BASE_DIR / "var" / "static")
#: Logos that a catalogue of this deployment's own brings come before the built-in ones.
_LOGOS = [Path(folder, "logos") for folder in EXTRA_CATALOGUES[::-1]]
STATICFILES_DIRS = [*(("connectors", f) for f in _LOGOS if f.is_dir()), BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

WHITENOISE_KEEP_ONLY_HASHED_FILES = True

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

# Mail holds links that sign people in, so it goes nowhere, and into no log, unless asked to.
vars().update(env.email_url("EMAIL_URL", default="dummymail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default=f"console@{urlsplit(PUBLIC_URL).hostname}")

#: "json" writes one JSON document a line, "line" is for people.
LOG_FORMAT: str = env("LOG_FORMAT", default="line")
LOGGING = configuration(form=LOG_FORMAT, level=env("LOG_LEVEL", default="INFO"))
