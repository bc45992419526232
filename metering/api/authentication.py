"""API keys as Django REST framework asks for them. The checks are those of the door."""

from __future__ import annotations

import time
from typing import Any

from django.utils import timezone
from rest_framework import authentication, exceptions, permissions, throttling
from rest_framework.request import Request

from metering import admission


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """``request.auth`` is the `admission.Key`; there is no user behind it."""

    def authenticate(self, request: Request) -> tuple[None, admission.Key]:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        try:
            return None, admission.of(authorization=header, at=timezone.now())
        except admission.KeyUnknown as error:
            raise exceptions.AuthenticationFailed(str(error)) from None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="meterbook"'


class HasScope(permissions.BasePermission):
    """Lets in whose key has the scope that the view names; a view that names none is closed to all."""

    def has_permission(self, request: Request, view: Any) -> bool:
        try:
            request.auth.require(view.scope)
        except admission.ScopeMissing as error:
            raise exceptions.PermissionDenied(str(error)) from None
        return True


class KeyRate(throttling.BaseThrottle):
    """The limit of the key: a request counts as one event."""

    def __init__(self) -> None:
        self._wait_s: int | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        try:
            admission.charge(key=request.auth, now_s=time.monotonic())
        except admission.TooFast as error:
            self._wait_s = error.retry_after_s
            return False
        return True

    def wait(self) -> float | None:
        return self._wait_s
