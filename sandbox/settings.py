"""Settings of the sandbox service, read from the environment by django-environ.

``SANDBOX_PORT``, ``SANDBOX_DATA`` (folder of the database and the key),
``SANDBOX_TOKEN_SECONDS`` (lifetime of access tokens), ``SANDBOX_REUSE_SECONDS`` (how long
a rotated refresh token gets the same response again; after that, its use revokes the family) and
``DEMO_PASSWORD`` (needed by ``prepare`` only).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import environ
from csp.constants import NONE, SELF

env = environ.Env()
HERE = Path(__file__).resolve().parent

SANDBOX_PORT: int = env.int("SANDBOX_PORT", default=9000)
SANDBOX_DATA = Path(env("SANDBOX_DATA", default=str(HERE.parent / "var" / "sandbox")))
DEMO_PASSWORD: str = env("DEMO_PASSWORD", default="")
#: The issuer identifier (RFC 8414 and RFC 9207).
ISSUER = f"http://localhost:{SANDBOX_PORT}"
REUSE_SECONDS: int = env.int("SANDBOX_REUSE_SECONDS", default=0)


def _secret_key(path: Path) -> str:
    """Read the secret key; create it on the first start."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
    return key


SECRET_KEY = _secret_key(SANDBOX_DATA / "secret_key")
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "sandbox",
    "oauth2_provider",
    "csp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "sandbox.urls"
WSGI_APPLICATION = "sandbox.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": SANDBOX_DATA / "sandbox.sqlite3",
        "OPTIONS": {
            # A transaction that starts with a read and then writes must not fail half-way.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}

AUTH_USER_MODEL = "sandbox.Person"
PASSWORD_HASHERS = ["sandbox.hashers.QuickHasher"]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

# Browsers share cookies between the ports of a host: these must not be the console's.
SESSION_COOKIE_NAME = "sandbox_sessionid"
CSRF_COOKIE_NAME = "sandbox_csrftoken"
CSRF_FAILURE_VIEW = "sandbox.error_pages.csrf_failure"

# Applications open the consent page in a window, and may see when it is closed.
SECURE_CROSS_ORIGIN_OPENER_POLICY = None
CONTENT_SECURITY_POLICY = {
    # `form-action` is left out: it binds the redirect after a form too, and the consent
    # form ends in a redirect to whichever application asked.
    "DIRECTIVES": {
        "default-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

SCOPES = {
    "profile.read": "See your name and e-mail address",
    "contacts.read": "See your contacts",
    "contacts.write": "Add and change contacts",
    "orders.read": "See your orders",
    "orders.write": "Place orders",
}
OAUTH2_PROVIDER = {
    "SCOPES": SCOPES,
    "DEFAULT_SCOPES": ["profile.read"],
    # This server supports only authorization codes and refresh tokens.
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.WebApplicationServer",
    "OAUTH2_VALIDATOR_CLASS": "sandbox.oauth_validator.Validator",
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": ["code"],
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["authorization_code", "refresh_token"],
    "OAUTH2_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED": [
        "client_secret_basic",
        "client_secret_post",
        "none",
    ],
    "OIDC_ISS_ENDPOINT": ISSUER,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["http", "https"],
    "REQUEST_APPROVAL_PROMPT": "force",
    "PKCE_REQUIRED": True,
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "ACCESS_TOKEN_EXPIRE_SECONDS": env.int("SANDBOX_TOKEN_SECONDS", default=300),
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": REUSE_SECONDS,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    # To repeat a response, the tokens must be stored, not only their hashes.
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": not REUSE_SECONDS,
}

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    # Refused requests are expected here; only errors of the sandbox itself are logged.
    "loggers": {
        "django": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        "django.security": {"level": "CRITICAL"},
        "oauth2_provider": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        "oauthlib": {"handlers": ["console"], "level": "ERROR", "propagate": False},
    },
}
