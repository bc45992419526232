"""What read-only pages of the admin share."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from unfold.admin import ModelAdmin, TabularInline
from unfold.paginator import InfinitePaginator


class ReadOnlyAdmin(ModelAdmin):
    """Rows that people look at and never change here.

    ``empty_title`` and ``empty_hint`` are shown where there is none yet; they say what to do first.
    """

    empty_title = ""
    empty_hint = ""
    list_per_page = 50
    actions = None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        # The admin's history tells of changes made here, of which there are none.
        context = {**(extra_context or {}), "show_history": False}
        return super().change_view(request, object_id, form_url, context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class EndlessAdmin(ReadOnlyAdmin):
    """Rows by the million, newest first: they are neither counted nor sorted by what has no index."""

    paginator = InfinitePaginator
    show_full_result_count = False
    ordering = ("-pk",)
    sortable_by = ()


class ReadOnlyInline(TabularInline):
    """Rows of another table below a row, to look at."""

    extra = 0
    max_num = 0
    can_delete = False
    per_page = 20

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def part(name: str, **context: Any) -> str:
    """The HTML of the shared template ``console/parts/<name>``, as a value of a read-only field."""
    return render_to_string(f"console/parts/{name}", context)
