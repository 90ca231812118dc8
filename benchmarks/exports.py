r"""Exports beside psql's \copy of the same columns: their speed as a share of it, and how the memory grows."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, connections

from analytics.exports.running import export_run
from analytics.exports.service import Asked, export_create
from analytics.models import ExportJob, ExportStatus
from analytics.queries.timerange import TimeRange
from analytics.registry.fields import BY_KEY, DEFAULT_KEYS
from analytics.scope import Scope, ScopedProject
from analytics.storage.partitions import ensure_days
from benchmarks.figures import Figure, seconds
from observatory.env import BASE_DIR
from observatory.supervisor import postgres

ORGANISATION, PROJECT, DAYS = 1, 77, 7
TARGETS = {"csv": 0.35, "jsonl": 0.35, "parquet": 0.25}
_KILLED = "jsonl"
_MOST_MEGABYTES = 100
_JUDGED_FROM = 1_000_000  # the beginning and the end of an export are most of a small one
_MEGABYTE = 1_048_576
_LOOK_SECONDS = 0.02
_SCOPE = Scope(
    projects={PROJECT: ScopedProject(organisation_id=ORGANISATION, public_id=UUID(int=PROJECT))},
    permissions=frozenset(),
)
_NUMBERED = """
    SELECT number, %(end)s::timestamptz - (number + 1) * %(step)s::interval AS ts,
        decode(md5('trace' || number / 5), 'hex') AS trace, decode(substr(md5('span' || number), 1, 16), 'hex') AS span
    FROM generate_series(0, %(spans)s - 1) AS number
"""
_SPANS = f"""
    INSERT INTO llm_traces (organisation_id, project_id, ts, ingested_at, trace_id, span_id, duration_ms,
        prompt_cost_nanousd, completion_cost_nanousd, total_cost_nanousd, uncached_input_tokens, cache_read_tokens,
        cache_write_5m_tokens, cache_write_1h_tokens, audio_input_tokens, visible_output_tokens, reasoning_tokens,
        audio_output_tokens, usage_counted, call_counted, span_name, span_kind, status_code, service_name,
        operation_name, provider, model, environment, user_id)
    SELECT 1, 77, ts, ts, trace, span, number %% 5000, number %% 900, number %% 100, number %% 900 + number %% 100, 900,
        0, 0, 0, 0, 100, 0, 0, true, true, 'chat', 'client', 'OK', 'shop', 'chat', 'openai', 'gpt-4o', 'production',
        'user ' || number %% 997
    FROM ({_NUMBERED}) AS numbered
"""
_CONTENTS = f"""
    INSERT INTO llm_contents (organisation_id, project_id, ts, trace_id, span_id, input_type, input_text, output_text,
        tags, attributes)
    SELECT 1, 77, ts, trace, span, 'chat', repeat(md5(number::text) || ' asks, ', 10),
        repeat(md5('a' || number) || ' "said"' || E'\\n', 8), ARRAY['a', 'b'],
        jsonb_build_object('shop.cart', number %% 9, 'shop.note', md5('n' || number))
    FROM ({_NUMBERED}) AS numbered
"""


def measure(spans: int) -> Iterator[Figure]:
    """Yield, for each format, its speed as a share of psql's, what three kills cost, and the memory of all of them."""
    now = datetime.now(UTC).replace(microsecond=0)
    where = TimeRange(start=now - timedelta(days=DAYS), end=now)
    _fill(spans, where)
    judged = spans >= _JUDGED_FROM
    figure = partial(Figure, rows=spans, direction="at_least", unit="x")
    most: list[float] = []
    with tempfile.TemporaryDirectory(prefix="llmo-exports-") as folder:
        settings.EXPORT_DIR = Path(folder)
        for form, target in TARGETS.items():
            theirs = seconds(partial(_psql, where, Path(folder) / "psql.csv"))
            job = _created(form, where)
            with _growth(most):
                ours = seconds(partial(export_run, job.id))
            job.refresh_from_db()
            if (job.status, job.rows) != (ExportStatus.COMPLETED, spans):
                raise RuntimeError(f"{form}: {job.status} after {job.rows} spans: {job.error_message}")
            yield figure(figure=f"exports.{form}.vs_psql", value=theirs / ours, target=target if judged else None)
            yield figure(figure=f"exports.{form}.speed", value=spans / ours, unit="spans/s")
            if form == _KILLED:
                killed = seconds(partial(_killed_three_times, job, where, Path(folder)))
                yield figure(figure="exports.killed_vs_undisturbed", value=killed / ours, direction="at_most")
    yield Figure(
        figure="exports.memory",
        value=max(most),
        unit="MB",
        rows=spans,
        target=_MOST_MEGABYTES if judged else None,
    )


def _fill(spans: int, where: TimeRange) -> None:
    ensure_days(where.start.date() + timedelta(days=day) for day in range(DAYS + 1))
    given: dict[str, Any] = {"end": where.end, "step": timedelta(days=DAYS) / spans, "spans": spans}
    with connection.cursor() as cursor:
        for table in ("llm_traces", "llm_contents"):
            cursor.execute(f"DELETE FROM {table} WHERE organisation_id = 1 AND project_id = 77")
        cursor.execute(_SPANS, given)
        cursor.execute(_CONTENTS, given)
    with connections["owner"].cursor() as cursor:  # the server does so by itself after a while
        cursor.execute("VACUUM ANALYZE llm_traces, llm_contents")


def _created(form: str, where: TimeRange) -> ExportJob:
    asked = Asked(
        scope=_SCOPE,
        organisation_id=ORGANISATION,
        organisation_uuid=uuid4(),
        range=where,
        format=form,
        compression="none",
    )
    return export_create(asked, now=datetime.now(UTC))


def _killed_three_times(undisturbed: ExportJob, where: TimeRange, folder: Path) -> None:
    """Export the same with workers that are killed, a quarter further each time; raise unless the same comes out."""
    job = _created(undisturbed.format, where)
    for share in (0.25, 0.5, 0.75):
        with subprocess.Popen(
            [sys.executable, "manage.py", "worker"],
            cwd=BASE_DIR,
            env=os.environ | {"EXPORT_DIR": str(folder)},
            stderr=subprocess.DEVNULL,
        ) as worker:
            while job.rows < share * undisturbed.rows and worker.poll() is None:
                sleep(_LOOK_SECONDS)
                job.refresh_from_db()
            if job.status == ExportStatus.COMPLETED or worker.poll() is not None:
                raise RuntimeError(f"The worker was to be killed while it exports: {job.status} at {job.rows} spans.")
            worker.kill()
    export_run(job.id)
    job.refresh_from_db()
    first, second = (
        (one.status, one.rows, one.bytes, one.sha256, one.first_ts, one.after_ts) for one in (undisturbed, job)
    )
    if first != second:
        raise RuntimeError(f"The export whose workers were killed is another one: {second}, not {first}")


def _psql(where: TimeRange, file: Path) -> None:
    """Copy the default members as they are stored, in no order."""
    columns = ", ".join(BY_KEY[key].sql for key in DEFAULT_KEYS)
    sql = f"""SELECT {columns} FROM llm_traces AS s LEFT JOIN llm_contents AS c
        ON c.organisation_id = s.organisation_id AND c.project_id = s.project_id AND c.ts = s.ts
        AND c.trace_id = s.trace_id AND c.span_id = s.span_id
        AND c.ts >= '{where.start.isoformat()}' AND c.ts < '{where.end.isoformat()}'
        WHERE s.organisation_id = {ORGANISATION} AND s.project_id = {PROJECT}
        AND s.ts >= '{where.start.isoformat()}' AND s.ts < '{where.end.isoformat()}'"""
    command = f"\\copy ({' '.join(sql.split())}) TO '{file}' WITH (FORMAT csv, HEADER)"
    program = postgres._binaries() / "psql"  # noqa: SLF001  the one of the embedded server
    subprocess.run([program, "--quiet", os.environ["DATABASE_URL"], "-c", command], check=True)  # noqa: S603  our own


@contextmanager
def _growth(most: list[float]) -> Iterator[None]:
    """Append by how many megabytes the process was larger at most than at the beginning."""
    before, peak, ended = _resident(), [0], threading.Event()

    def watch() -> None:
        while not ended.is_set():
            peak[0] = max(peak[0], _resident())
            sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
        most.append((peak[0] - before) / _MEGABYTE)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
