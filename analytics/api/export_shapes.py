"""Exports as replies tell of them, and as the OpenAPI document describes them."""

from datetime import datetime
from typing import Any

from django.conf import settings

from analytics.api.json_schema import COUNT, INSTANT, TEXT, UUID, nullable, whole
from analytics.exports.formats import COMPRESSIONS, FORMATS
from analytics.exports.schedules import due_at, folder_of
from analytics.exports.selecting import selection_of
from analytics.exports.selectors import OPEN, status_of
from analytics.exports.telling import progress_percent
from analytics.models import Cadence, ExportJob, ExportSchedule, ExportStatus


def job_url(job: ExportJob) -> str:
    """Return where a job is asked about."""
    return f"{settings.API_BASE_URL}/api/v1/export/jobs/{job.id}"


def shown_job(job: ExportJob, *, now: datetime) -> dict[str, Any]:
    """Return a job as it is at `now`."""
    status = status_of(job, now=now)
    done = status in (ExportStatus.COMPLETED, ExportStatus.EXPIRED)
    ready = status == ExportStatus.COMPLETED
    left = None if job.expires_at is None else max(0, int((job.expires_at - now).total_seconds()))
    return {
        "job_id": str(job.id),
        "org_id": str(job.organisation_uuid),
        "status": status,
        "format": job.format,
        "compression": job.compression,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "completed_at": job.completed_at,
        "expires_at": job.expires_at,
        "trace_count": None if job.started_at is None else job.rows,
        "file_size_bytes": job.bytes if done else None,
        "download_url": f"{job_url(job)}/download" if ready else None,
        "error_message": job.error_message,
        "progress_percent": progress_percent(job),
        "metadata": {
            "can_cancel": status in OPEN,
            "can_download": ready,
            "is_expired": status == ExportStatus.EXPIRED,
            "seconds_until_expiration": left,
        },
        "manifest": _manifest(job) if done else None,
    }


def schedule_url(schedule: ExportSchedule) -> str:
    """Return where a schedule is asked about."""
    return f"{settings.API_BASE_URL}/api/v1/export/schedules/{schedule.id}"


def shown_schedule(schedule: ExportSchedule) -> dict[str, Any]:
    """Return a schedule as it is."""
    return {
        "schedule_id": str(schedule.id),
        "org_id": str(schedule.organisation_uuid),
        "name": schedule.name,
        "prefix": schedule.prefix,
        "folder": folder_of(schedule),
        "every": schedule.every,
        "enabled": schedule.enabled,
        "format": schedule.format,
        "compression": schedule.compression,
        "fields": [member.name for member in selection_of(schedule).members],
        "filters": schedule.asked,
        "next_day": schedule.next_day.isoformat(),
        "next_run_at": due_at(schedule) if schedule.enabled else None,
        "keep_days": schedule.keep_days,
        "created_at": schedule.created_at,
        "job_id": None if schedule.job_id is None else str(schedule.job_id),
        "last_job_id": None if schedule.last_job_id is None else str(schedule.last_job_id),
        "problem": schedule.problem,
    }


def _manifest(job: ExportJob) -> dict[str, Any]:
    asked_for = job.expected_rows if job.row_limit is None else min(job.expected_rows, job.row_limit)
    return {
        "rows": job.rows,
        "bytes": job.bytes,
        "sha256": job.sha256,
        "start_time": job.start_time,
        "end_time": job.end_time,
        "first_ts": job.first_ts,
        "last_ts": job.after_ts,
        "fields": [member.name for member in selection_of(job).members],
        "filters": job.asked,
        "format": job.format,
        "compression": job.compression,
        "truncated_by_limit": job.more,
        "rows_missing": max(asked_for - job.rows, 0) if job.expected_exactly else None,
        "rows_repriced": job.repriced,
    }


_STATUS = {"type": "string", "enum": list(ExportStatus.values)}
_FORM = {
    "format": {"type": "string", "enum": list(FORMATS)},
    "compression": {"type": "string", "enum": list(COMPRESSIONS)},
}
MANIFEST = whole(
    rows=COUNT,
    bytes=COUNT,
    sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"},
    start_time=INSTANT,
    end_time=INSTANT,
    first_ts=nullable(INSTANT),
    last_ts=nullable(INSTANT),
    fields={"type": "array", "items": {"type": "string"}},
    filters={"type": "object", "description": "What the selection was narrowed by, as it was sent."},
    **_FORM,
    truncated_by_limit={"type": "boolean", "description": "Whether there were more spans than limit."},
    rows_missing={
        **nullable(COUNT),
        "description": "Spans that were there when the export was created and were deleted, or changed so that they"
        " are no longer selected, before they were read; null where they were not counted then.",
    },
    rows_repriced={
        **nullable(COUNT),
        "description": "Spans of the file whose cost a re-pricing changed that was under way while it was written: each"
        " has the cost it had when it was read. Null where a re-pricing was undone meanwhile, and of exports of earlier"
        " releases.",
    },
)
COMPONENTS: dict[str, Any] = {
    "ExportAccepted": whole(
        job_id=UUID,
        status=_STATUS,
        created_at=INSTANT,
        estimated_completion_at={**INSTANT, "description": "If exports go on as the last ones did."},
        status_url={"type": "string", "format": "uri"},
    ),
    "ExportJob": whole(
        job_id=UUID,
        org_id=UUID,
        status=_STATUS,
        **_FORM,
        created_at=INSTANT,
        started_at=nullable(INSTANT),
        completed_at={**nullable(INSTANT), "description": "When it ended, however it ended."},
        expires_at=nullable(INSTANT),
        trace_count={**nullable(COUNT), "description": "Spans written so far."},
        file_size_bytes=nullable(COUNT),
        download_url={**nullable(TEXT), "format": "uri"},
        error_message=nullable(TEXT),
        progress_percent={"type": "integer", "minimum": 0, "maximum": 100},
        metadata=whole(
            can_cancel={"type": "boolean"},
            can_download={"type": "boolean"},
            is_expired={"type": "boolean"},
            seconds_until_expiration=nullable(COUNT),
        ),
        manifest={"anyOf": [{"$ref": "#/components/schemas/ExportManifest"}, {"type": "null"}]},
    ),
    "ExportManifest": MANIFEST,
    "ExportSchedule": whole(
        schedule_id=UUID,
        org_id=UUID,
        name={"type": "string"},
        prefix={"type": "string"},
        folder={"type": "string", "description": "Of its files in the store; each is in `day=YYYY-MM-DD`."},
        every={"type": "string", "enum": list(Cadence.values)},
        enabled={"type": "boolean"},
        **_FORM,
        fields={"type": "array", "items": {"type": "string"}},
        filters={"type": "object", "description": "What the selection was narrowed by, as it was sent."},
        next_day={"type": "string", "format": "date", "description": "The first day that is not exported yet."},
        next_run_at={**nullable(INSTANT), "description": "When that day is exported; null while it is not enabled."},
        keep_days={"type": ["integer", "null"], "minimum": 1},
        created_at=INSTANT,
        job_id={**nullable(UUID), "description": "The export under way."},
        last_job_id={**nullable(UUID), "description": "The last export that was completed."},
        problem={
            **nullable(TEXT),
            "description": "What stood in the way of the next day; it is tried again each hour.",
        },
    ),
    "ExportStatistics": whole(
        total_jobs=COUNT,
        by_status=whole(**dict.fromkeys(ExportStatus.values, COUNT)),
        total_traces_exported=COUNT,
        total_bytes_exported=COUNT,
        avg_export_time_seconds={"type": ["number", "null"], "description": "From creation to completion."},
    ),
}
