"""Rejected spans in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from analytics.models import RejectedSpan
from analytics.registry.rejections import REASONS
from observatory.accounts.admin_paging import CappedPaginator
from observatory.accounts.admin_reach import ReachAdmin, ReadOnlyAdmin, project_named


class ReasonFilter(admin.SimpleListFilter):
    """By reason; the choices are the reasons there are, not those that a walk through all rows finds."""

    title = parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002  Django's
        return [(reason, reason) for reason in REASONS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RejectedSpan]) -> QuerySet[RejectedSpan]:  # noqa: ARG002
        return queryset.filter(reason=self.value()) if self.value() else queryset


@admin.register(RejectedSpan)
class RejectedSpanAdmin(ReadOnlyAdmin, ReachAdmin):
    """What ingest set aside, to be read; the worker shortens the list."""

    list_display = ("received_at", "project", "reason", "span_name", "service_name", "key_prefix", "request_id")
    list_filter = (ReasonFilter,)
    paginator = CappedPaginator
    ordering = ("-received_at",)
    fields = (
        "received_at", "project", "reason", "message", "trace", "span", "span_name", "service_name", "scope_name",
        "key_prefix", "request_id",
    )  # fmt: skip
    readonly_fields = ("project", "trace", "span")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(named=project_named())

    @admin.display(description="project")
    def project(self, entry: RejectedSpan) -> str:
        return str(getattr(entry, "named", entry.project_id))

    @admin.display(description="trace id")
    def trace(self, entry: RejectedSpan) -> str:
        return bytes(entry.trace_id).hex() if entry.trace_id else ""

    @admin.display(description="span id")
    def span(self, entry: RejectedSpan) -> str:
        return bytes(entry.span_id).hex() if entry.span_id else ""
