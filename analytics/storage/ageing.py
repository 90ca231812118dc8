"""Freeing what is past its limit: whole partitions where nobody needs a row of them, rows in steps elsewhere.

Figures do not change by it. Buckets are refreshed before their spans go, the horizon moves before or with the first
loss, and from then on rollups are neither made anew nor compared with spans behind it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from time import sleep

from django.conf import settings
from django.db import connection

from analytics.registry.rollups import GRAIN_WIDTHS, KINDS, LAST_KINDS, ROLLUPS
from analytics.storage import metrics
from analytics.storage.engines import RELATIONS, StoredDay, engine
from analytics.storage.exclusive import RefusedError, exclusively
from analytics.storage.holds import Hold, hold_list, hold_on
from analytics.storage.horizons import EVER, forget_marks_behind, move_horizon
from analytics.storage.remaking import Window, add_to_versions, due_buckets
from analytics.storage.retention import EVERYBODY, KIND_OF, Limits, limits_read
from analytics.storage.rollups import refresh
from analytics.storage.sizes import Range, counts_in, day_of, tenants_in
from analytics.storage.spans import Tenant
from analytics.storage.transactions import retried

KEYS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(RELATIONS, ("organisation_id", "project_id", "ts", "trace_id", "span_id")),
    **{rollup.table: rollup.keys for rollup in ROLLUPS},
    "trace_index": ("organisation_id", "project_id", "trace_id"),
    "data_version": ("organisation_id", "project_id", "hour"),
}
TRIES = 3
LOCK_NOT_AVAILABLE = "55P03"
_WAIT_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Something to free: rows and the bytes they take (of rows within a day, their share of it).

    A `partition` is dropped whole; otherwise the rows `of` a range that belong to `tenant` go.
    """

    of: Range
    kind: str
    rows: int
    bytes: int
    tenant: Tenant | None = None
    partition: StoredDay | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Rows past their limit that a legal hold keeps."""

    table: str
    rows: int
    hold: Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was freed, or would be, in the order of doing; and what holds keep."""

    losses: Sequence[Loss]
    left: Sequence[Left]


def retention_apply(
    *, now: datetime, dry_run: bool = False, planned: Callable[[int], Callable[[int], None]] = lambda _: lambda _: None
) -> Report:
    """Free what is past its limit at `now`; raise `RefusedError` when the limits contradict each other or it runs.

    Every step is a transaction of its own, so it can be interrupted and repeated. `planned` is told how many rows
    will go and returns the listener that is told, step by step, how many went.
    """
    limits = limits_read()
    if problem := limits.disorder():
        raise RefusedError(f"Nothing was dropped: {problem}. Change a RETENTION_ variable, or use `retention set`.")
    with exclusively("retention"):
        found = retention_foreseen(limits, now=now)
        done = planned(sum(one.rows for one in found.losses))
        if not dry_run:
            _free(found.losses, limits, now, _Backlog(found.losses, done))
        return found


def retention_foreseen(limits: Limits, *, now: datetime) -> Report:
    """Return what a run would free under `limits`, which nobody has set yet, and what holds would keep."""
    return Report(losses=list(_losses(limits, now)), left=list(_left(limits, now)))


class _Backlog:
    """Tells the listener and the metrics how many rows went."""

    def __init__(self, losses: Sequence[Loss], done: Callable[[int], None]) -> None:
        self._done = done
        self._left = Counter(dict.fromkeys(KEYS, 0))
        for loss in losses:
            self._left[loss.of.table] += loss.rows
        for table, rows in self._left.items():
            metrics.BACKLOG.labels(table).set(rows)

    def went(self, loss: Loss, rows: int) -> None:
        table = loss.of.table
        self._left[table] = max(self._left[table] - rows, 0)
        metrics.BACKLOG.labels(table).set(self._left[table])
        metrics.DROPPED.labels(table).inc(rows)
        self._done(rows)


def _free(losses: Sequence[Loss], limits: Limits, now: datetime, backlog: _Backlog) -> None:
    spans = [one for one in losses if one.of.table == "llm_traces"]
    _move_horizons(limits, now, LAST_KINDS)
    if spans:
        settle(before=max(one.of.end for one in spans))
    # A partition goes together with its horizon, and only if no bucket of it was marked meanwhile.
    for loss in losses:
        if loss.partition is not None and _drop(loss.partition):
            backlog.went(loss, loss.rows)
    _move_horizons(limits, now, ("spans", *KINDS))
    for loss in losses:
        if loss.partition is None:
            while (count := retried(partial(_delete_step, loss))) > 0:
                backlog.went(loss, count)
    forget_marks_behind()


def _losses(limits: Limits, now: datetime) -> Iterator[Loss]:
    spans: list[Loss] = []
    for relation in RELATIONS:
        found = list(_of_days(relation, KIND_OF[relation], limits, now))
        spans += found if relation == "llm_traces" else []
        yield from found
    for rollup in ROLLUPS:
        yield from _rows(rollup.table, rollup.kind, "bucket", {None: limits.cutoff(rollup.kind, now=now)})
    if spans:  # looked for only then: nothing finds a trace by its time
        yield from _rows("trace_index", "spans", "last_ts", _cutoffs("spans", limits, now))
    yield from _rows("data_version", "day", "hour", {None: limits.cutoff("day", now=now)})


def _cutoffs(kind: str, limits: Limits, now: datetime) -> dict[Tenant | None, datetime]:
    own: dict[Tenant | None, datetime] = {
        tenant: limits.cutoff(kind, now=now, tenant=tenant) for tenant in limits.tenants(kind)
    }
    return {None: limits.cutoff(kind, now=now), **own}


def _of_days(relation: str, kind: str, limits: Limits, now: datetime) -> Iterator[Loss]:
    cutoffs, holds = _cutoffs(kind, limits, now), hold_list()
    for stored in engine().days(relation):
        rows = day_of(stored)
        if rows.end > max(cutoffs.values()):
            return
        tenants = tenants_in(rows)
        past = [one for one in tenants if rows.end <= cutoffs.get(one, cutoffs[None])]
        free = [one for one in past if not hold_on(one, holds)]
        whole = rows.end <= cutoffs[None] and len(free) == len(tenants)
        if not whole and not free:
            continue
        counts = counts_in(rows)
        every = sum(counts.values())
        if whole:
            yield Loss(of=rows, kind=kind, rows=every, bytes=stored.bytes, partition=stored)
            continue
        for tenant in free:
            share = stored.bytes * counts[tenant] // every
            yield Loss(of=rows, kind=kind, rows=counts[tenant], bytes=share, tenant=tenant)


def _rows(table: str, kind: str, column: str, cutoffs: Mapping[Tenant | None, datetime]) -> Iterator[Loss]:
    holds = hold_list()
    for tenant in tenants_in(Range(table=table, column=column, start=EVER, end=max(cutoffs.values()))):
        if hold_on(tenant, holds):
            continue
        rows = Range(table=table, column=column, start=EVER, end=cutoffs.get(tenant, cutoffs[None]))
        count, size = _measured(rows, tenant)
        if count:
            yield Loss(of=rows, kind=kind, rows=count, bytes=size, tenant=tenant)


def _measured(rows: Range, tenant: Tenant) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*), coalesce(sum(pg_column_size(old.*)), 0) FROM {rows.table} AS old
            WHERE organisation_id = %(organisation)s AND project_id = %(project)s AND {rows.condition}
            """,
            {**rows.parameters, "organisation": tenant.organisation_id, "project": tenant.project_id},
        )
        count, size = cursor.fetchone()
    return count, int(size)


def _left(limits: Limits, now: datetime) -> Iterator[Left]:
    holds = hold_list()
    for hold, (table, kind) in product(holds, KIND_OF.items()):
        column, cutoffs = "ts" if table in RELATIONS else "bucket", _cutoffs(kind, limits, now)
        past = partial(Range, table=table, column=column, start=EVER)
        held = [one for one in tenants_in(past(end=max(cutoffs.values()))) if hold_on(one, holds) == hold]
        count = sum(_measured(past(end=cutoffs.get(one, cutoffs[None])), one)[0] for one in held)
        if count:
            yield Left(table=table, rows=count, hold=hold)


def _move_horizons(limits: Limits, now: datetime, kinds: Iterable[str]) -> None:
    holds = hold_list()
    for kind in kinds:
        for tenant, cutoff in _cutoffs(kind, limits, now).items():
            one = tenant or EVERYBODY
            if not hold_on(one, holds):
                move_horizon(kind, to=cutoff, organisation_id=one.organisation_id, project_id=one.project_id)


def settle(*, before: datetime) -> None:
    """Refresh every bucket that ended by `before`; raise `RefusedError` when some are still marked after that."""
    forget_marks_behind()
    for attempt in range(1, TRIES + 1):
        for grain in GRAIN_WIDTHS:
            while refresh(grain, before=before).more:
                pass
        window = Window(start=EVER, end=before)
        if not any(due_buckets(grain, window) for grain in GRAIN_WIDTHS):
            return
        if attempt < TRIES:
            sleep(_WAIT_SECONDS)  # the worker's own refresh holds the lock, or spans came meanwhile
    raise RefusedError("Nothing was dropped: buckets of that time still wait for their refresh. Run it again.")


def _drop(stored: StoredDay) -> bool:
    for _ in range(TRIES):
        answer = retried(partial(_drop_and_tell, stored), states=frozenset({LOCK_NOT_AVAILABLE}))
        if answer != "marked":
            engine().forget_days()
            return answer == "dropped"
        settle(before=day_of(stored).end)
    raise RefusedError(
        f"{stored.relation} of {stored.day} was not dropped: spans of that day keep coming. Run it again."
    )


def _drop_and_tell(stored: StoredDay) -> str:
    rows = day_of(stored)
    tenants = tenants_in(rows)
    answer = engine().drop_day(stored.relation, stored.day)
    if answer == "dropped":
        # Lists of spans read differently now, and say so by the versions of their hours.
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE data_version SET changes = changes + 1, changed_at = clock_timestamp()
                WHERE hour >= %(start)s AND hour < %(end)s
                    AND (organisation_id, project_id) IN (
                        SELECT * FROM unnest(%(organisations)s::int[], %(projects)s::int[]))
                """,
                {
                    **rows.parameters,
                    "organisations": [one.organisation_id for one in tenants],
                    "projects": [one.project_id for one in tenants],
                },
            )
    return answer


def _delete_step(loss: Loss) -> int:
    assert loss.tenant is not None
    rows, keys = loss.of, ", ".join(KEYS[loss.of.table])
    engine().unpack_freely()
    with connection.cursor() as cursor:
        # The tenant is told twice: only constants keep a columnstore from unpacking the rows of all others.
        cursor.execute(
            f"""
            DELETE FROM {rows.table}
            WHERE organisation_id = %(organisation)s AND project_id = %(project)s AND {rows.condition} AND ({keys}) IN (
                SELECT {keys} FROM {rows.table} AS old
                WHERE organisation_id = %(organisation)s AND project_id = %(project)s AND {rows.condition}
                    AND NOT EXISTS (
                        SELECT FROM legal_holds AS h
                        WHERE h.organisation_id = old.organisation_id AND h.project_id IN (0, old.project_id))
                LIMIT %(step)s)
            """,
            {
                **rows.parameters,
                "organisation": loss.tenant.organisation_id,
                "project": loss.tenant.project_id,
                "step": settings.DELETE_STEP_ROWS,
            },
        )
        deleted: int = cursor.rowcount
    if deleted and rows.table in RELATIONS:
        hours = [rows.start + timedelta(hours=hour) for hour in range(24)]
        add_to_versions([(loss.tenant.organisation_id, loss.tenant.project_id, hour) for hour in hours])
    return deleted
