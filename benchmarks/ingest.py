"""Taking requests of 200 spans against copying the very same rows into the very same tables, turn by turn."""

import statistics
import time
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from django.db import connection, transaction

from analytics.ingest.service import receive
from analytics.ingest.wire import decode
from analytics.scope import Scope, ScopedProject
from analytics.storage.rows import CONTENT_COLUMNS, SPAN_COLUMNS
from benchmarks.figures import Figure, seconds
from benchmarks.requests import SPANS_A_REQUEST, bodies

STEP_NS = 1_000_000
WARM_REQUESTS = 5
ORGANISATION, TAKEN, COPIED = 1, 1, 2  # the storage's numbers: one organisation, two projects
COLUMNS = {
    "llm_traces": [column.name for column in SPAN_COLUMNS],
    "llm_contents": [column.name for column in CONTENT_COLUMNS],
}
RATIO_TARGET = 0.4


def measure(spans: int) -> list[Figure]:
    """Return rows per second of both ways, each with its commits, and the median ratio of a request and its copy.

    Taking a request includes decoding it; the copy has its rows as text before the clock starts.
    """
    taken, copied = [], []
    requests = bodies(spans=spans + WARM_REQUESTS * SPANS_A_REQUEST, end_ns=time.time_ns(), step_ns=STEP_NS)
    for request in requests:
        taken.append(seconds(partial(_take, request.protobuf)))
        copied.append(seconds(partial(_copy, _rows_of(request.protobuf))))
    pairs = list(zip(taken, copied, strict=True))[WARM_REQUESTS:]
    figure = partial(Figure, rows=spans, direction="at_least")
    return [
        figure(figure="ingest.receive", value=spans / sum(took for took, _ in pairs), unit="spans/s"),
        figure(figure="ingest.copy", value=spans / sum(copy for _, copy in pairs), unit="spans/s"),
        figure(
            figure="ingest.receive_vs_copy",
            value=statistics.median(copy / took for took, copy in pairs),
            unit="x",
            target=RATIO_TARGET,
        ),
    ]


def _take(body: bytes) -> None:
    project = ScopedProject(organisation_id=ORGANISATION, public_id=UUID(int=TAKEN))
    scope = Scope(projects={TAKEN: project}, permissions=frozenset())
    receive(scope=scope, spans=decode(body, json=False).spans, received_at=datetime.now(UTC))


def _copy(rows: dict[str, bytes]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for table, text in rows.items():
            with cursor.copy(f"COPY {table} ({', '.join(COLUMNS[table])}) FROM STDIN") as copy:
                copy.write(text)


def _rows_of(body: bytes) -> dict[str, bytes]:
    """Return the stored rows of a request as COPY text by table, with the number of the other project."""
    starts = [span.start_ns // 1000 for span in decode(body, json=False).spans]
    parameters = {"taken": TAKEN, "first": min(starts), "last": max(starts)}
    rows = {}
    with connection.cursor() as cursor:
        for table, columns in COLUMNS.items():
            names = ", ".join(str(COPIED) if name == "project_id" else name for name in columns)
            found = f"""
                SELECT {names} FROM {table} WHERE project_id = %(taken)s
                    AND ts >= TIMESTAMPTZ 'epoch' + %(first)s * interval '1 microsecond'
                    AND ts <= TIMESTAMPTZ 'epoch' + %(last)s * interval '1 microsecond'
            """
            with cursor.copy(f"COPY ({found}) TO STDOUT", parameters) as copy:
                rows[table] = b"".join(copy)
    return rows
