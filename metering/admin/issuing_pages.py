"""Adding a row that comes with a secret: the secret is shown once, in the answer, and never again."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display

from metering import issuing
from metering.admin.reading import ReadOnlyAdmin


class IssuingAdmin(ReadOnlyAdmin):
    """Rows with a secret: issued on a page of their own, revoked by a button, else read-only.

    Classes of it say with which form, and do the issuing and revoking.
    """

    issue_form: ClassVar[type[forms.Form]]
    issued_template: ClassVar[str]
    change_form_outer_after_template = "console/parts/revoke.html"
    ordering = ("-pk",)

    def issue(self, form: forms.Form, request: HttpRequest) -> tuple[Any, str]:
        """The new row and its secret. Raises `issuing.CredentialInvalid`."""
        raise NotImplementedError

    def revoke(self, row: Any) -> None:
        """Ends the row's use."""
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"metering.add_{self.opts.model_name}")

    def get_urls(self) -> list[URLPattern]:
        revoking = self.admin_site.admin_view(require_POST(self.revoke_view))
        name = f"metering_{self.opts.model_name}_revoke"
        return [path("<int:pk>/revoke/", revoking, name=name), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = self.issue_form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                row, secret = self.issue(form, request)
            except issuing.CredentialInvalid as error:
                form.add_error(None, str(error))
            else:
                # Every page of the admin says no-store, so that the secret stays in no cache.
                return self._page(request, self.issued_template, row=row, secret=secret)
        return self._page(request, "issue.html", form=form, status=400 if form.errors else 200)

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Revokes the row and goes back to it; a second time nothing happens."""
        if not request.user.has_perm(f"metering.change_{self.opts.model_name}"):
            raise PermissionDenied
        row = get_object_or_404(self.model, pk=pk)
        self.revoke(row)
        messages.success(request, f"{row} is revoked. Nothing that is signed with it is accepted any more.")
        return HttpResponseRedirect(reverse(f"admin:metering_{self.opts.model_name}_change", args=[pk]))

    @display(description="state", label={"active": "success", "revoked": "danger"})
    def state(self, row: Any) -> str:
        return "revoked" if row.revoked_at and row.revoked_at <= timezone.now() else "active"

    def _page(
        self, request: HttpRequest, template: str, *, status: int = 200, **context: Any
    ) -> HttpResponse:
        request.current_app = self.admin_site.name
        return render(
            request,
            f"console/{template}",
            {
                **self.admin_site.each_context(request),
                "title": f"New {self.opts.verbose_name}",
                **context,
                "opts": None,
            },
            status=status,
        )
