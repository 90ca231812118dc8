"""Exports and their schedules."""

from typing import ClassVar
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models


class ExportStatus(models.TextChoices):
    """Where an export is; a completed one is expired from its time on, whether its file went already or not."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Selected(models.Model):
    """Which spans are exported and how: of whom, which of them, which of their members, in which form.

    `project_ids` are the storage's numbers, `project_uuids` beside them what clients know. `asked` holds the
    comparisons as they were sent, for people; `filter` is one expression of the filter language that means them all.
    """

    organisation_id = models.IntegerField()
    organisation_uuid = models.UUIDField()
    project_ids = ArrayField(models.IntegerField())
    project_uuids = ArrayField(models.UUIDField())
    format = models.TextField()
    compression = models.TextField()
    within = models.TextField()
    filter = models.JSONField(null=True)
    asked = models.JSONField(default=dict)
    fields = ArrayField(models.TextField(), default=list)

    class Meta:
        abstract = True


class ExportJob(Selected):
    """One export: what it is of, how far it is, and what came of it.

    Its spans are those that were stored at `created_at`: all that came before `settled`, and what came at the times in
    `arrived`. `after_…` is the key of the last span that is in the file, of `rows` spans and `bytes` octets with the
    digest `sha256`; what the file holds behind them is not there.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    status = models.TextField(choices=ExportStatus.choices, default=ExportStatus.PENDING)
    start_time = models.DateTimeField()
    end_time = models.DateTimeField()
    row_limit = models.BigIntegerField(null=True)
    step_rows = models.IntegerField()
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    settled = models.DateTimeField()
    arrived = ArrayField(models.DateTimeField(), default=list)
    # What creating it found: spans (of the whole range unless exactly), first and last start.
    expected_rows = models.BigIntegerField()
    expected_exactly = models.BooleanField()
    expected_first = models.DateTimeField(null=True)
    expected_last = models.DateTimeField(null=True)
    rows = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    sha256 = models.TextField(default="")
    first_ts = models.DateTimeField(null=True)
    after_ts = models.DateTimeField(null=True)
    after_trace_id = models.BinaryField(null=True)
    after_span_id = models.BinaryField(null=True)
    after_project_id = models.IntegerField(null=True)
    more = models.BooleanField(default=False)
    # Of those in the file, the ones that re-pricings changed which were under way meanwhile; null where nobody knows.
    repriced = models.BigIntegerField(null=True)
    attempts = models.IntegerField(default=0)
    file_name = models.TextField(default="")
    error_message = models.TextField(null=True)
    # Of a scheduled one: where its file goes instead of under its own id, and how long it is kept (null: for ever).
    schedule_id = models.UUIDField(null=True)
    target = models.TextField(default="", db_default="")
    keep_days = models.IntegerField(null=True)

    class Meta:
        db_table = "export_jobs"
        indexes: ClassVar = [
            models.Index(fields=["organisation_id", "-created_at"], name="export_jobs_newest"),
            # What the worker looks for: unfinished exports.
            models.Index(
                fields=["created_at"],
                name="export_jobs_open",
                condition=models.Q(status__in=["pending", "processing"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.format} of {self.start_time:%Y-%m-%d %H:%M} to {self.end_time:%Y-%m-%d %H:%M}, {self.status}"


class Cadence(models.TextChoices):
    """How often a schedule exports: each day, or the seven days of a week together."""

    DAILY = "daily"
    WEEKLY = "weekly"


class ExportSchedule(Selected):
    """Days that are exported one after the other into one folder.

    `next_day` is the first that is not there yet, `job_id` the export that makes it, `problem` what stood in its way,
    until `not_before`.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    name = models.TextField()
    prefix = models.TextField()
    every = models.TextField(choices=Cadence.choices)
    enabled = models.BooleanField(default=True)
    next_day = models.DateField()
    keep_days = models.IntegerField(null=True)
    created_at = models.DateTimeField()
    job_id = models.UUIDField(null=True)
    last_job_id = models.UUIDField(null=True)
    not_before = models.DateTimeField(null=True)
    problem = models.TextField(null=True)

    class Meta:
        db_table = "export_schedules"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation_id", "prefix"], name="export_schedules_prefix"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.format}, {self.every}, next {self.next_day}"
