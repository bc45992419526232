"""Django's settings, wired from `config.env`. Metering and billing read them through ``django.conf`` only."""

from __future__ import annotations

import os
from pathlib import Path

import structlog

from config import database, env
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
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# The console's exports of months.
EXPORTS_DIR = Path(ENV.EXPORTS_DIR) if ENV.EXPORTS_DIR else places.local_folder(os.environ) / "exports"

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["config.api.rendering.ExactJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["metering.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["metering.api.authentication.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["metering.api.authentication.KeyRate"],
    "EXCEPTION_HANDLER": "config.api.problems.answer",
    "UNAUTHENTICATED_USER": None,
}

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
