"""Re-pricing: spans take the costs that the price book has for them now, and can be given the old ones back.

A run goes through its spans in steps. Each step is one transaction that keeps the old costs, writes the new ones, marks
the touched buckets and moves the run's position, so a run that was stopped anywhere goes on where it was.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from django.db.models import Max
from django.utils import timezone

from analytics.ingest.prices import PinnedBooks
from analytics.models import CostRun, ModelPrice
from analytics.pricing.ledger import entry
from analytics.pricing.money import dollars
from analytics.storage.cost_reports import Difference, add_differences, differences_of
from analytics.storage.costs import (
    Chosen,
    Position,
    PricedSpan,
    SpanCost,
    count_costs,
    count_kept,
    forget_costs_behind,
    keep_costs,
    kept_tenants,
    later_run_on_same_spans,
    read_costs,
    take_kept,
    write_costs,
)
from analytics.storage.exclusive import RefusedError, exclusively
from analytics.storage.horizons import horizons_of
from analytics.storage.remaking import Window
from analytics.storage.sizes import Range, tenants_in
from analytics.storage.spans import Tenant
from analytics.storage.transactions import retried
from analytics.telling import tell_repriced
from errors.json import dumps

STEP_SPANS = 5000
LOCK = "re-pricing"
Done = Callable[[int], None]
Begun = Callable[[int], None]
Planned = Callable[[int], Done]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repricing:
    """Spans to price anew: those of `window`, of one provider and of one model if they are named."""

    window: Window
    provider: str | None = None
    model: str | None = None

    def chosen(self, tenant: Tenant) -> Chosen:
        """Return the spans of a project, as far back as it still has all of them."""
        start = max(self.window.start, horizons_of([tenant.project_id]).spans)
        return Chosen(tenant=tenant, start=start, end=self.window.end, provider=self.provider, model=self.model)

    def tenants(self) -> list[Tenant]:
        """Return the projects with spans in the window, in the order in which they are gone through."""
        found = tenants_in(Range(table="llm_traces", column="ts", start=self.window.start, end=self.window.end))
        wanted = self.window.projects
        return [one for one in found if wanted is None or one.project_id in wanted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """What a run did, or would do: spans looked at and changed, and the difference by day and model."""

    run: int | None = None
    resumed: bool = False
    spans: int
    changed: int
    differences: Sequence[Difference] = field(default_factory=list)


def costs_preview(asked: Repricing, *, planned: Planned) -> Repriced:
    """Return what pricing `asked` anew would change; nothing is written."""
    books, tenants = PinnedBooks(newest=_newest_price()), asked.tenants()
    done = planned(sum(count_costs(asked.chosen(tenant)) for tenant in tenants))
    seen, changed, found = 0, 0, _Differences()
    for tenant in tenants:
        after: Position | None = None
        while spans := read_costs(asked.chosen(tenant), after=after, limit=STEP_SPANS):
            pairs = _changed(spans, books, tenant)
            seen, changed = seen + len(spans), changed + len(pairs)
            found.add(pairs)
            after = _position(spans[-1])
            done(len(spans))
    return Repriced(spans=seen, changed=changed, differences=found.all())


def _unheard(_run: int) -> None:
    """Tell nobody."""


def costs_recompute(asked: Repricing, *, planned: Planned, begun: Begun = _unheard) -> Repriced:
    """Price spans anew; a run with the same arguments and prices that was stopped is gone on with.

    `begun` is told the run before it changes anything. Raises `BusyError` while another run is under way.
    """
    with exclusively(LOCK):
        forget_costs_behind()
        run, resumed = _run_for(asked)
        begun(run.id)
        books = PinnedBooks(newest=run.newest_price)
        tenants = [one for one in asked.tenants() if not _is_past(one, run)]
        done = planned(run.spans_seen + sum(count_costs(asked.chosen(tenant)) for tenant in tenants))
        done(run.spans_seen)
        for tenant in tenants:
            while seen := retried(partial(_step, run.id, asked.chosen(tenant), books)):
                done(seen)
        CostRun.objects.filter(id=run.id).update(state=CostRun.State.DONE, finished_at=timezone.now())
        run.refresh_from_db()
    return Repriced(
        run=run.id,
        resumed=resumed,
        spans=run.spans_seen,
        changed=run.spans_changed,
        differences=differences_of(run.id),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """A run that was undone, or would be: how many spans have their old cost back."""

    run: int
    spans: int


def costs_undo(number: int, *, dry_run: bool, planned: Planned, begun: Begun = _unheard) -> Undone:
    """Give every span of run `number` the cost it had before; raise `RefusedError` with the reason if it cannot be.

    Spans that are gone by now are left out. An undoing that was stopped is gone on with. `begun` is told the run before
    anything is changed.
    """
    with exclusively(LOCK):
        run = CostRun.objects.filter(id=number).first()
        if run is None:
            raise RefusedError(f"There is no run {number}: `recompute_costs --runs` lists those that there are.")
        if run.state == CostRun.State.UNDONE:
            raise RefusedError(f"Run {number} was undone already.")
        if (later := later_run_on_same_spans(number)) is not None:
            raise RefusedError(f"Run {later} changed some of the same spans afterwards: undo it first.")
        forget_costs_behind()
        left = count_kept(number)
        if not dry_run:
            begun(number)
            CostRun.objects.filter(id=number).update(state=CostRun.State.UNDOING)
            done = planned(left)
            for tenant in kept_tenants(number):
                while restored := retried(partial(_restore, number, tenant)):
                    done(restored)
            CostRun.objects.filter(id=number).update(state=CostRun.State.UNDONE, finished_at=timezone.now())
    return Undone(run=number, spans=left)


def cost_runs(*, most: int = 50) -> list[CostRun]:
    """Return the newest runs, newest first."""
    return list(CostRun.objects.order_by("-id")[:most])


def _restore(run: int, tenant: Tenant) -> int:
    costs = take_kept(run, tenant, limit=STEP_SPANS)
    kept_since = horizons_of([tenant.project_id]).spans
    restored = [one for one in costs if one.ts >= kept_since]
    write_costs(tenant, restored)
    tell_repriced(tenant, [(one.ts, one.trace_id, one.span_id) for one in restored])
    return len(costs)


def _newest_price() -> int:
    return ModelPrice.objects.aggregate(newest=Max("id"))["newest"] or 0


def _run_for(asked: Repricing) -> tuple[CostRun, bool]:
    projects = asked.window.projects
    about = {
        "start_time": asked.window.start,
        "end_time": asked.window.end,
        "project_id": projects[0] if projects else None,
        "provider": asked.provider,
        "model": asked.model,
        "newest_price": _newest_price(),
    }
    stopped = CostRun.objects.filter(state=CostRun.State.RUNNING, **about).order_by("-id").first()
    return (stopped, True) if stopped else (CostRun.objects.create(**about), False)


def _is_past(tenant: Tenant, run: CostRun) -> bool:
    if run.position is None:
        return False
    organisation, project = run.position[:2]
    return (tenant.organisation_id, tenant.project_id) < (organisation, project)


def _step(run_id: int, chosen: Chosen, books: PinnedBooks) -> int:
    """Price the next spans of a project anew; return how many were looked at."""
    run = CostRun.objects.select_for_update().get(id=run_id)
    tenant = chosen.tenant
    spans = read_costs(chosen, after=_position_in(run, tenant), limit=STEP_SPANS)
    if not spans:
        return 0
    pairs = _changed(spans, books, tenant)
    new = [cost for _, cost in pairs]
    keep_costs(run_id, tenant, new)
    write_costs(tenant, new)
    tell_repriced(tenant, [(one.ts, one.trace_id, one.span_id) for one in new])
    found = _Differences()
    found.add(pairs)
    add_differences(run_id, tenant, found.all())
    ts, trace_id, span_id = _position(spans[-1])
    run.position = [tenant.organisation_id, tenant.project_id, ts.isoformat(), trace_id.hex(), span_id.hex()]
    run.spans_seen += len(spans)
    run.spans_changed += len(pairs)
    run.save()
    return len(spans)


def _position(span: PricedSpan) -> Position:
    return span.cost.ts, span.cost.trace_id, span.cost.span_id


def _position_in(run: CostRun, tenant: Tenant) -> Position | None:
    if run.position is None or run.position[:2] != [tenant.organisation_id, tenant.project_id]:
        return None
    ts, trace_id, span_id = run.position[2:]
    return datetime.fromisoformat(ts), bytes.fromhex(trace_id), bytes.fromhex(span_id)


def _changed(spans: Iterable[PricedSpan], books: PinnedBooks, tenant: Tenant) -> list[tuple[PricedSpan, SpanCost]]:
    """Return the spans whose cost is another now, each with it."""
    book = books.of(tenant.organisation_id)
    pairs = []
    for span in spans:
        made = entry(
            book,
            span.usage,
            is_call=span.is_call,
            provider=span.provider,
            models=(span.response_model, span.model),
            tier=span.tier,
            at=span.cost.ts,
        )
        new = SpanCost(
            ts=span.cost.ts,
            trace_id=span.cost.trace_id,
            span_id=span.cost.span_id,
            price_id=made.price_id,
            prompt_cost_nanousd=made.prompt,
            completion_cost_nanousd=made.completion,
            total_cost_nanousd=made.total,
            unpriced_reason=made.unpriced_reason,
            breakdown=None
            if made.breakdown is None
            else dumps({part: dollars(nanousd) for part, nanousd in made.breakdown.items()}).decode(),
        )
        if new.columns != span.cost.columns:
            pairs.append((span, new))
    return pairs


class _Differences:
    """Adds up what changed, by day and model as the span was asked for."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[object, str, str], Difference] = {}

    def add(self, pairs: Iterable[tuple[PricedSpan, SpanCost]]) -> None:
        for span, new in pairs:
            old, counted = span.cost, span.usage_counted
            entered = span.usage_counted or span.call_counted
            one = Difference(
                day=old.ts.astimezone(UTC).date(),
                provider=span.provider or "",
                model=span.model or span.response_model or "",
                spans=1,
                cost_before_nanousd=(old.total_cost_nanousd or 0) if counted else 0,
                cost_after_nanousd=(new.total_cost_nanousd or 0) if counted else 0,
                unpriced_before=int(entered and old.unpriced_reason is not None),
                unpriced_after=int(entered and new.unpriced_reason is not None),
            )
            key = (one.day, one.provider, one.model)
            known = self._by_key.get(key)
            self._by_key[key] = one if known is None else known + one

    def all(self) -> list[Difference]:
        return sorted(self._by_key.values(), key=lambda one: (one.day, one.provider, one.model))
