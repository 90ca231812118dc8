"""Pages of the admin whose rows name tenants: only the project knows both sides."""

from django.contrib import admin
from django.http import HttpRequest

from analytics.models import RejectedSpan
from observatory import admin_alerts, admin_prices  # noqa: F401  register their pages
from observatory.accounts.admin_reach import ReachAdmin
from observatory.accounts.models import Project


@admin.register(RejectedSpan)
class RejectedSpanAdmin(ReachAdmin):
    """What ingest set aside, to be read; the worker shortens the list."""

    list_display = ("received_at", "project", "reason", "span_name", "service_name", "key_prefix", "request_id")
    list_filter = ("reason",)
    ordering = ("-received_at",)
    fields = (
        "received_at", "project", "reason", "message", "trace", "span", "span_name", "service_name", "scope_name",
        "key_prefix", "request_id",
    )  # fmt: skip
    readonly_fields = ("project", "trace", "span")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  signature of Django
        return False

    def has_change_permission(self, request: HttpRequest, obj: RejectedSpan | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: RejectedSpan | None = None) -> bool:  # noqa: ARG002
        return False

    @admin.display(description="project")
    def project(self, entry: RejectedSpan) -> str:
        found = Project.objects.filter(pk=entry.project_id).select_related("organisation").first()
        return f"{found.organisation.slug}/{found.slug}" if found else str(entry.project_id)

    @admin.display(description="trace id")
    def trace(self, entry: RejectedSpan) -> str:
        return bytes(entry.trace_id).hex() if entry.trace_id else ""

    @admin.display(description="span id")
    def span(self, entry: RejectedSpan) -> str:
        return bytes(entry.span_id).hex() if entry.span_id else ""
