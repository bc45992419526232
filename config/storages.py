"""Django's storages: static files as always, and exported months in a bucket where one is configured."""

from __future__ import annotations

from typing import Any

from config.env import Env


def read(env: Env) -> dict[str, Any]:
    """The setting STORAGES. Without a bucket there is no storage of exports: they lie in folders."""
    storages: dict[str, Any] = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    if env.EXPORTS_BUCKET:
        storages["exports"] = {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": env.EXPORTS_BUCKET,
                "endpoint_url": env.EXPORTS_ENDPOINT or None,
                "region_name": env.EXPORTS_REGION or None,
                "access_key": env.EXPORTS_ACCESS_KEY or None,
                "secret_key": env.EXPORTS_SECRET_KEY or None,
                "default_acl": None,
                # A repeated export replaces its own files.
                "file_overwrite": True,
                "querystring_auth": True,
            },
        }
    return storages
