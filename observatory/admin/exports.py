"""Exports in the admin: the jobs with their state, cancelled and downloaded by the services of the API."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from analytics.exports.files import StoreError, store
from analytics.exports.selecting import file_name_of, format_of
from analytics.exports.selectors import OPEN, file_get, jobs_with_status, status_of
from analytics.exports.service import export_cancel
from analytics.models import ExportJob, ExportStatus
from errors.catalog import STORAGE_ERROR
from errors.exceptions import ApiError
from errors.json import dumps
from observatory.accounts.admin_paging import CappedPaginator
from observatory.accounts.admin_reach import ReachAdmin, ReadOnlyAdmin, organisation_named
from observatory.accounts.models import Project
from observatory.management.operating import size


class StatusFilter(admin.SimpleListFilter):
    """By the status as it is now: a completed export expires by the clock."""

    title = parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002  Django's
        return [(value, value) for value in ExportStatus.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ExportJob]) -> QuerySet[ExportJob]:  # noqa: ARG002
        wanted = self.value()
        return jobs_with_status(queryset, wanted, now=timezone.now()) if wanted else queryset


@admin.register(ExportJob)
class ExportJobAdmin(ReadOnlyAdmin, ReachAdmin):
    """What was exported, of whom, how far it is; made by the API and by people there."""

    resource = "export"
    list_display = (
        "created_at", "organisation", "now", "format", "start_time", "end_time", "done", "file", "expires_at", "links",
    )  # fmt: skip
    list_filter = (StatusFilter, "format")
    ordering = ("-created_at", "id")
    paginator = CappedPaginator
    show_full_result_count = False
    fields = (
        "id", "organisation", "projects", "now", "format", "compression", "within", "start_time", "end_time",
        "selection", "members", "done", "file", "sha256", "created_at", "started_at", "completed_at", "expires_at",
        "attempts", "error_message", "links",
    )  # fmt: skip
    readonly_fields = ("organisation", "projects", "now", "selection", "members", "done", "file", "links")

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view
        own = [
            path("<path:job_id>/cancel/", view(self.cancel), name="analytics_exportjob_cancel"),
            path("<path:job_id>/download/", view(self.download), name="analytics_exportjob_download"),
        ]
        return own + super().get_urls()

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(slug=organisation_named())

    @admin.display(description="organisation")
    def organisation(self, job: ExportJob) -> str:
        return str(getattr(job, "slug", job.organisation_id))

    @admin.display(description="projects")
    def projects(self, job: ExportJob) -> str:
        return ", ".join(Project.objects.filter(pk__in=job.project_ids).order_by("slug").values_list("slug", flat=True))

    @admin.display(description="status")
    def now(self, job: ExportJob) -> str:
        return status_of(job, now=timezone.now())

    @admin.display(description="selection")
    def selection(self, job: ExportJob) -> str:
        return dumps(job.asked).decode()

    @admin.display(description="members")
    def members(self, job: ExportJob) -> str:
        return ", ".join(job.fields) or "all"

    @admin.display(description="spans")
    def done(self, job: ExportJob) -> str:
        if job.status not in OPEN:
            return f"{job.rows:,}"
        return f"{job.rows:,} of {'' if job.expected_exactly else 'at most '}{job.expected_rows:,}"

    @admin.display(description="size")
    def file(self, job: ExportJob) -> str:
        return size(job.bytes)

    @admin.display(description="file")
    def links(self, job: ExportJob) -> str:
        status = status_of(job, now=timezone.now())
        if status == ExportStatus.COMPLETED:
            return format_html(
                '<a href="{}">Download</a>', reverse("admin:analytics_exportjob_download", args=[job.pk])
            )
        if status in OPEN:
            return format_html('<a href="{}">Cancel</a>', reverse("admin:analytics_exportjob_cancel", args=[job.pk]))
        return ""

    def cancel(self, request: HttpRequest, job_id: str) -> HttpResponse:
        """Ask, then cancel an export that has not ended."""
        job = self._found(request, job_id)

        def act() -> None:
            export_cancel(job, now=timezone.now())
            messages.success(request, "The export is cancelled.")
            self._recorded(request, job, "delete")

        told = "What was written of its file is thrown away."
        return self.confirmed(request, job, title="Cancel the export?", told=told, verb="Cancel it", act=act)

    def download(self, request: HttpRequest, job_id: str) -> HttpResponseBase:
        """Answer with the file of a completed export."""
        return require_safe(self._file)(request, job_id)

    def _file(self, request: HttpRequest, job_id: str) -> HttpResponseBase:
        job = self._found(request, job_id)
        try:
            found = file_get(job.organisation_id, job.project_ids, str(job.pk), now=timezone.now())
            octets = store().read(found.job.file_name, 0, found.size)
        except StoreError as problem:
            raise ApiError(STORAGE_ERROR) from problem
        self._recorded(request, job, "export")
        response = StreamingHttpResponse(octets, content_type=format_of(job).file_type(job.compression))
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name_of(job)}"'
        response.headers["Content-Length"] = str(found.size)
        response.headers["Cache-Control"] = "private, no-store"
        response.row_tag = True  # type: ignore[attr-defined]  # never compressed: the length is of these octets
        return response

    def _found(self, request: HttpRequest, job_id: str) -> ExportJob:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self.row_of(request, job_id)  # type: ignore[no-any-return]  # a row of this page
