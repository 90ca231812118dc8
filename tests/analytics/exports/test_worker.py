"""A real worker writes exports, is killed, and another one goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.utils import timezone

from analytics.exports.files import notes_path, store, work_path
from analytics.exports.running import export_run
from analytics.exports.service import Asked, export_create
from analytics.ingest.service import receive
from analytics.ingest.wire import RawSpan
from analytics.models import ExportJob, ExportStatus
from analytics.queries.timerange import TimeRange
from analytics.scope import Scope
from analytics.storage.partitions import ensure_days
from observatory.env import BASE_DIR

SPANS, STEP = 3000, 100
PATIENCE_SECONDS = 60
NOON = (datetime.now(UTC) - timedelta(days=2)).replace(hour=12, minute=0, second=0, microsecond=0)
NOON_NS = int(NOON.timestamp()) * 1_000_000_000


@pytest.fixture
def create(committed: Scope, owner: psycopg.Connection, settings: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that creates an export of 3,000 committed spans."""
    settings.EXPORT_STEP_ROWS = STEP
    ensure_days([NOON.date()])
    (organisation,) = committed.projects
    receive(scope=committed, received_at=datetime.now(UTC), spans=[
        RawSpan(
            trace_id=(number // 3 + 1).to_bytes(16, "big"),
            span_id=(number + 1).to_bytes(8, "big"),
            parent_span_id=b"",
            name="chat",
            start_ns=NOON_NS + number * 1_000_000,
            end_ns=NOON_NS + number * 1_000_000 + 5_000_000,
            attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "note": "é" * 50},
        )
        for number in range(SPANS)
    ])  # fmt: skip

    def make(**asked: Any) -> ExportJob:
        given: dict[str, Any] = {"format": "jsonl", "compression": "none"} | asked
        return export_create(
            Asked(
                scope=committed,
                organisation_id=organisation,
                organisation_uuid=uuid4(),
                range=TimeRange(start=NOON, end=NOON + timedelta(hours=1)),
                **given,
            ),
            now=timezone.now(),
        )

    yield make
    owner.execute("DELETE FROM export_jobs WHERE organisation_id = %s", [organisation])
    owner.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'export'")


@pytest.fixture
def worker(settings: Any) -> Iterator[Callable[..., subprocess.Popen]]:
    """Return a function that starts a worker process."""
    started = []

    def start() -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, str(BASE_DIR / "manage.py"), "worker"],
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.002)


def rows_of(job: ExportJob) -> int:
    return ExportJob.objects.values_list("rows", flat=True).get(id=job.id)


def status_of(job: ExportJob) -> str:
    return ExportJob.objects.values_list("status", flat=True).get(id=job.id)


def octets_of(job: ExportJob) -> bytes:
    job.refresh_from_db()
    return b"".join(store().read(job.file_name, 0, job.bytes))


@pytest.mark.parametrize(("form", "compression"), [("jsonl", "gzip"), ("parquet", "none")])
def test_an_export_whose_worker_is_killed_three_times_has_the_octets_of_one_that_was_not(
    create, worker, form, compression
):
    undisturbed = create(format=form, compression=compression)
    export_run(undisturbed.id)
    killed = create(format=form, compression=compression)
    kills = 0
    for share in (1, 2, 3):
        process = worker()
        wait_until(lambda share=share: rows_of(killed) >= share * SPANS // 5)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += status_of(killed) == ExportStatus.PROCESSING
    worker()
    wait_until(lambda: status_of(killed) == ExportStatus.COMPLETED)

    assert kills == 3
    assert octets_of(killed) == octets_of(undisturbed)
    assert (killed.rows, killed.sha256, killed.first_ts, killed.after_ts) == (
        SPANS, undisturbed.sha256, undisturbed.first_ts, undisturbed.after_ts,
    )  # fmt: skip
    assert (work_path(killed.id).exists(), notes_path(killed.id).exists()) == (False, False)


def test_a_worker_that_is_told_to_stop_ends_with_the_step_and_leaves_the_rest(create, worker):
    job = create()
    process = worker()
    wait_until(lambda: rows_of(job) > 0)
    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=PATIENCE_SECONDS) == 0
    assert status_of(job) in (ExportStatus.PROCESSING, ExportStatus.COMPLETED)
    export_run(job.id)
    assert (status_of(job), rows_of(job)) == (ExportStatus.COMPLETED, SPANS)
