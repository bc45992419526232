"""Django's settings, wired from `config.env`. Metering and billing read them through ``django.conf`` only."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import structlog
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from config import database, env, storages
from config.local import attach, places

ENV = env.read(os.environ)
BASE_DIR = Path(__file__).resolve().parent.parent

_local_secrets = {} if ENV.SECRET_KEY and ENV.API_KEY_PEPPER else attach.secrets()
SECRET_KEY = ENV.SECRET_KEY or _local_secrets["SECRET_KEY"]
API_KEY_PEPPER = ENV.API_KEY_PEPPER or _local_secrets["API_KEY_PEPPER"]
DEBUG = ENV.DEBUG
ALLOWED_HOSTS = list(ENV.ALLOWED_HOSTS)
CSRF_TRUSTED_ORIGINS = list(ENV.CSRF_TRUSTED_ORIGINS)

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "pgtrigger",
    "pghistory",
    "metering",
    "billing",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "billing.acting.Acting",
    "django.contrib.messages.middleware.MessageMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it turns a login that is locked into an answer
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
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

# Seconds that an idle connection lives: a worker's task must not pay for a new one each time.
_MAX_AGE_S = 300
DATABASES = {
    "default": database.connection(url=ENV.DATABASE_URL, max_age_s=_MAX_AGE_S)
    if ENV.DATABASE_URL
    else database.embedded(max_age_s=_MAX_AGE_S)
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = ENV.REDIS_URL or attach.redis_url()

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# A login is refused for a while after so many wrong passwords, for the name at the address they came from:
# somebody else's guesses lock nobody out. Kept in the database, so that it holds on all web processes.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "console/locked_out.html"
AXES_HTTP_RESPONSE_CODE = 429
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = ["config.formats"]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
# One process serves its own files: whitenoise finds them in the apps, no collectstatic step is needed.
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
# Where a proxy ends TLS the cookies never travel without it; on this machine alone there is none.
_IS_BEHIND_TLS = bool(CSRF_TRUSTED_ORIGINS) and all(
    origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _IS_BEHIND_TLS
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, UNSAFE_EVAL],  # Alpine, which the console's layout is made with, evaluates texts
        "style-src": [SELF, UNSAFE_INLINE],  # charts and the layout set styles of single elements
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# The console's exports of months.
EXPORTS_DIR = Path(ENV.EXPORTS_DIR) if ENV.EXPORTS_DIR else places.local_folder(os.environ) / "exports"
EXPORTS_BUCKET, EXPORTS_PREFIX = ENV.EXPORTS_BUCKET, ENV.EXPORTS_PREFIX
EXPORT_DAY = ENV.EXPORT_DAY
STORAGES = storages.read(ENV)

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["config.api.rendering.ExactJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["metering.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["metering.api.authentication.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["metering.api.authentication.KeyRate"],
    "EXCEPTION_HANDLER": "config.api.problems.answer",
    "DEFAULT_SCHEMA_CLASS": "config.api.openapi.Schema",
    "UNAUTHENTICATED_USER": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Meterbook",
    "DESCRIPTION": "Usage metering and billing. Amounts are texts, with their currency beside them.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["config.api.openapi.complete"],
}
# What does a request with an Idempotency-Key once only: its table is the money side's.
API_ONCE = "billing.api.idempotency.answered"

# Of changes in one transaction the order must show, too.
PGHISTORY_CREATED_AT_FUNCTION = "CLOCK_TIMESTAMP()"

from config.console import UNFOLD  # noqa: E402, F401  the console's looks and menu are a subject of their own

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(ENV.LOG_LEVEL),
    logger_factory=structlog.PrintLoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": ENV.LOG_LEVEL},
    "loggers": {"django.db.backends": {"level": "INFO"}},
}
