"""Erasing a user: every span of theirs, with its content and what is kept beside it, the feedback that they gave, and
their rows of the rollups that tell users apart.

Whose a span is: it names the user; or it names nobody, and neither does any other span of its trace name somebody else;
or, in a trace of several users, it names nobody and the nearest span above it that names somebody names the user.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import connection

from analytics.ingest.counting import moved, settle
from analytics.registry.rollups import DAY, GRAIN_WIDTHS
from analytics.storage.changes import floor, mark_changed
from analytics.storage.erasing import (
    OwnedSpan,
    count_beside,
    count_feedback,
    count_spans,
    count_usage,
    delete_beside,
    delete_feedback,
    delete_spans,
    delete_usage,
    hold_traces,
    narrow_traces,
    owned_spans,
    traces_naming,
)
from analytics.storage.exclusive import exclusively
from analytics.storage.holds import Hold, hold_list, hold_on
from analytics.storage.remaking import Window, batches, due_buckets, remake
from analytics.storage.spans import Tenant, TraceSpan, instant, update_marks
from analytics.storage.transactions import retried

TRACES_A_STEP = 100
Key = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A project whose data of the user a legal hold keeps."""

    tenant: Tenant
    hold: Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a run erased, or would: rows by table, the range of their starts, and what holds kept.

    The user is told by the SHA-256 of the id, so that the receipt is no trace of them to whoever does not know it.
    """

    run_id: UUID
    at: datetime
    user_sha256: str
    dry_run: bool
    rows: Mapping[str, int]
    first: datetime | None
    last: datetime | None
    kept: Sequence[Kept]


@dataclass(slots=True, kw_only=True)
class _Tally:
    rows: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None

    def add(self, rows: Mapping[str, int], spans: Sequence[TraceSpan] = ()) -> None:
        self.rows.update(rows)
        starts = [instant(span.start_ns) for span in spans]
        self.first = min([*starts, *([self.first] if self.first else [])], default=None)
        self.last = max([*starts, *([self.last] if self.last else [])], default=None)


class _HeldError(Exception):
    """A hold was placed while the project was being erased from."""


def user_erase(
    *,
    tenants: Sequence[Tenant],
    user_id: str,
    run_id: UUID,
    now: datetime,
    dry_run: bool = False,
    planned: Callable[[int], Callable[[int], None]] = lambda _: lambda _: None,
) -> Receipt:
    """Erase a user from projects of one organisation; projects under a legal hold are left as they are, and told.

    Some traces at a time are one transaction, which marks their buckets; at the end the marked buckets are made anew.
    Interrupted, it is run again. Raises `BusyError` when another run is under way.
    """
    with exclusively("erasure"):
        tally, kept = _Tally(), _kept(tenants)
        free = [one for one in tenants if not any(held.tenant == one for held in kept)]
        traces = {tenant: traces_naming(tenant, user_id) for tenant in free}
        done = planned(sum(len(found) for found in traces.values()))
        for tenant, found in traces.items():
            usage, feedback = count_usage(tenant, user_id), count_feedback(tenant, user_id)
            try:
                _erase_traces(tenant, found, user_id, tally, done, dry_run=dry_run)
                if not dry_run:
                    _refresh(tenant, tally, now)  # takes the usage whose spans there were; what is older is left
                    retried(partial(_erase_named, tenant, user_id))
                tally.add(usage)
                tally.add(feedback)
            except _HeldError:
                kept += _kept([tenant])
    return Receipt(
        run_id=run_id,
        at=now,
        user_sha256=hashlib.sha256(user_id.encode()).hexdigest(),
        dry_run=dry_run,
        rows=dict(tally.rows),
        first=tally.first,
        last=tally.last,
        kept=kept,
    )


def _kept(tenants: Sequence[Tenant]) -> list[Kept]:
    holds = hold_list()
    return [Kept(tenant=one, hold=hold) for one in tenants if (hold := hold_on(one, holds))]


def _erase_traces(
    tenant: Tenant, traces: Sequence[bytes], user_id: str, tally: _Tally, done: Callable[[int], None], *, dry_run: bool
) -> None:
    for place in range(0, len(traces), TRACES_A_STEP):
        step = traces[place : place + TRACES_A_STEP]
        rows, spans = retried(partial(_step, tenant, step, user_id, dry_run=dry_run))
        tally.add(rows, spans)
        done(len(step))


def _step(
    tenant: Tenant, traces: Sequence[bytes], user_id: str, *, dry_run: bool
) -> tuple[Mapping[str, int], Sequence[TraceSpan]]:
    if not dry_run:
        _keep_holds_out(tenant)
        hold_traces(tenant, traces)
    owned = owned_spans(tenant, traces)
    theirs = belonging(owned, user_id)
    leaving = [one.span for one in owned if _key(one) in theirs]
    left = [one.span for one in owned if _key(one) not in theirs]
    gone = sorted(set(traces) - {span.trace_id for span in left})
    if dry_run:
        beside = count_beside(tenant, leaving, gone, user_id)
        return {**count_spans(tenant, leaving), **beside, "trace_index": len(gone)}, leaving
    rows = delete_spans(tenant, leaving)
    # Whoever repeated what an erased span used is now the one who counts it, as if that span had never come.
    changed = moved(left, settle(left))
    update_marks(tenant, changed)
    whole = narrow_traces(tenant, traces, left)
    beside = delete_beside(tenant, leaving, gone, user_id)
    mark_changed(tenant, {span.start_ns for span in (*leaving, *changed)})
    return {**rows, **beside, "trace_index": whole}, leaving


def _keep_holds_out(tenant: Tenant) -> None:
    """Let no hold be placed until the transaction ends; raise `_HeldError` when there is one by now."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE legal_holds IN SHARE MODE")
    if hold_on(tenant, hold_list()):
        raise _HeldError


def _erase_named(tenant: Tenant, user_id: str) -> None:
    _keep_holds_out(tenant)
    delete_usage(tenant, user_id)
    delete_feedback(tenant, user_id)


def _refresh(tenant: Tenant, tally: _Tally, now: datetime) -> None:
    """Make the marked buckets of the erased range anew; those that have not ended yet are answered from spans."""
    if tally.first is None or tally.last is None:
        return
    window = Window(
        start=floor(tally.first, DAY), end=min(floor(tally.last, DAY) + DAY, now), projects=[tenant.project_id]
    )
    for grain in GRAIN_WIDTHS:
        for batch in batches(grain, due_buckets(grain, window)):
            remake(grain, batch)


def belonging(spans: Sequence[OwnedSpan], user_id: str) -> frozenset[Key]:
    """Return the keys of those `spans` (of whole traces) that are the user's."""
    users: dict[bytes, set[str]] = {}
    for one in spans:
        users.setdefault(one.span.trace_id, set()).update({one.user_id} if one.user_id is not None else ())
    by_key = {_key(one): one for one in spans}
    return frozenset(
        key
        for key, one in by_key.items()
        if users[one.span.trace_id] == {user_id} or _nearest_user(one, by_key) == user_id
    )


def _nearest_user(one: OwnedSpan, by_key: Mapping[Key, OwnedSpan]) -> str | None:
    seen: set[Key] = set()
    above: OwnedSpan | None = one
    while above is not None and above.user_id is None and _key(above) not in seen:
        seen.add(_key(above))
        parent = above.span.parent_span_id
        above = by_key.get((above.span.trace_id, parent)) if parent is not None else None
    return above.user_id if above is not None else None


def _key(one: OwnedSpan) -> Key:
    return one.span.trace_id, one.span.span_id
