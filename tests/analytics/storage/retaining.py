"""Two projects with old and young spans, and the retention command asked for JSON."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from analytics.ingest.service import receive
from analytics.ingest.wire import RawSpan
from analytics.registry.rollups import GRAIN_WIDTHS
from analytics.scope import Scope, ScopedProject
from analytics.storage.rollups import refresh
from observatory.accounts.models import AuditEntry
from tests.analytics.storage.test_rollups import ask as ask_rollups

NS = 1_000_000_000
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
OLD, YOUNG = TODAY - timedelta(days=20), TODAY - timedelta(days=4)


def scope_of(project) -> Scope:
    return Scope(
        projects={project.id: ScopedProject(organisation_id=project.organisation_id, public_id=project.public_id)},
        permissions=frozenset(),
    )


def send(project, number, at, *, duration=100) -> None:
    start = int(at.timestamp() * NS)
    span = RawSpan(
        trace_id=number.to_bytes(16),
        span_id=number.to_bytes(8),
        parent_span_id=b"",
        name="call",
        start_ns=start,
        end_ns=start + duration * 1_000_000,
        status_code=0,
        attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.prompt": "hello"},
    )
    receive(scope=scope_of(project), spans=[span], received_at=datetime.now(UTC))


def refresh_all() -> None:
    for grain in GRAIN_WIDTHS:
        refresh(grain, before=datetime.now(UTC))


def ask(project, start, end, grain="1hour", **equal):
    return ask_rollups(scope_of(project), start, end, grain=grain, **equal)


def run(*words):
    out = StringIO()
    call_command("retention", *words, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def refused(*words):
    with pytest.raises(CommandError) as end:
        run(*words)
    return end.value.returncode, str(end.value)


def stored(table="llm_traces", column="ts"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT project_id, {column} FROM {table} ORDER BY 2, 1")
        return cursor.fetchall()


def partition_exists(relation, day):
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{relation}_{day:%Y%m%d}"])
        return cursor.fetchone()[0]


def entries(**equal):
    fields = ("organisation_id", "action", "resource_type", "resource_id", "user_agent", "changes")
    return list(AuditEntry.objects.filter(**equal).order_by("organisation_id", "ts").values_list(*fields))
