"""Exports as replies tell of them, and as the OpenAPI document describes them."""

from datetime import datetime
from typing import Any

from django.conf import settings

from analytics.exports.formats import COMPRESSIONS, FORMATS
from analytics.exports.selecting import selection_of
from analytics.exports.selectors import OPEN, status_of
from analytics.exports.telling import progress_percent
from analytics.models import ExportJob, ExportStatus


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
    }


_TIME = {"type": "string", "format": "date-time"}
_MAYBE_TIME = {"type": ["string", "null"], "format": "date-time"}
_COUNT = {"type": "integer", "minimum": 0}
_MAYBE_COUNT = {"type": ["integer", "null"], "minimum": 0}
_MAYBE_TEXT = {"type": ["string", "null"]}
_ID = {"type": "string", "format": "uuid"}
_STATUS = {"type": "string", "enum": list(ExportStatus.values)}
_FORM = {
    "format": {"type": "string", "enum": list(FORMATS)},
    "compression": {"type": "string", "enum": list(COMPRESSIONS)},
}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(members), "properties": members}


MANIFEST = _object(
    rows=_COUNT,
    bytes=_COUNT,
    sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"},
    start_time=_TIME,
    end_time=_TIME,
    first_ts=_MAYBE_TIME,
    last_ts=_MAYBE_TIME,
    fields={"type": "array", "items": {"type": "string"}},
    filters={"type": "object", "description": "What the selection was narrowed by, as it was sent."},
    **_FORM,
    truncated_by_limit={"type": "boolean", "description": "Whether there were more spans than limit."},
    rows_missing={
        **_MAYBE_COUNT,
        "description": "Spans that were there when the export was created and were deleted, or changed so that they"
        " are no longer selected, before they were read; null where they were not counted then.",
    },
)
COMPONENTS: dict[str, Any] = {
    "ExportAccepted": _object(
        job_id=_ID,
        status=_STATUS,
        created_at=_TIME,
        estimated_completion_at={**_TIME, "description": "If exports go on as the last ones did."},
        status_url={"type": "string", "format": "uri"},
    ),
    "ExportJob": _object(
        job_id=_ID,
        org_id=_ID,
        status=_STATUS,
        **_FORM,
        created_at=_TIME,
        started_at=_MAYBE_TIME,
        completed_at={**_MAYBE_TIME, "description": "When it ended, however it ended."},
        expires_at=_MAYBE_TIME,
        trace_count={**_MAYBE_COUNT, "description": "Spans written so far."},
        file_size_bytes=_MAYBE_COUNT,
        download_url={**_MAYBE_TEXT, "format": "uri"},
        error_message=_MAYBE_TEXT,
        progress_percent={"type": "integer", "minimum": 0, "maximum": 100},
        metadata=_object(
            can_cancel={"type": "boolean"},
            can_download={"type": "boolean"},
            is_expired={"type": "boolean"},
            seconds_until_expiration=_MAYBE_COUNT,
        ),
        manifest={"anyOf": [{"$ref": "#/components/schemas/ExportManifest"}, {"type": "null"}]},
    ),
    "ExportManifest": MANIFEST,
    "ExportStatistics": _object(
        total_jobs=_COUNT,
        by_status=_object(**dict.fromkeys(ExportStatus.values, _COUNT)),
        total_traces_exported=_COUNT,
        total_bytes_exported=_COUNT,
        avg_export_time_seconds={"type": ["number", "null"], "description": "From creation to completion."},
    ),
}
