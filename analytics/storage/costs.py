"""Costs of stored spans: reading what they depend on, writing others, keeping the old ones, writing them back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.pricing.usage import PARTS, Usage
from analytics.registry.operations import is_model_call
from analytics.storage.changes import mark_changed
from analytics.storage.engines import engine
from analytics.storage.rows import USAGE_PARTS
from analytics.storage.spans import Tenant

Position = tuple[datetime, bytes, bytes]
_US = 1000
_COST = ("price_id", "prompt_cost_nanousd", "completion_cost_nanousd", "total_cost_nanousd", "unpriced_reason")
_COST_TYPES: Mapping[str, str] = dict(zip(_COST, ("int", "bigint", "bigint", "bigint", "text"), strict=True))
# SQL: rows `given` of spans by their keys, and the predicates that find them in a relation, here called `s`. The range
# stands beside the keys so that only its partitions are looked at, and its batches of the columnstore unpacked.
_KEYS = """unnest(%(ts)s::timestamptz[], %(traces)s::bytea[], %(spans)s::bytea[]{types})
                AS given (ts, trace_id, span_id{names})"""
_FOUND = """s.organisation_id = %(organisation)s AND s.project_id = %(project)s
                AND s.ts BETWEEN %(first)s AND %(last)s
                AND s.ts = given.ts AND s.trace_id = given.trace_id AND s.span_id = given.span_id"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanCost:
    """The cost of a span as its columns say it; `breakdown` is JSON text, `None` where there is none."""

    ts: datetime
    trace_id: bytes
    span_id: bytes
    price_id: int | None
    prompt_cost_nanousd: int | None
    completion_cost_nanousd: int | None
    total_cost_nanousd: int | None
    unpriced_reason: str | None
    breakdown: str | None = None

    @property
    def columns(self) -> tuple[Any, ...]:
        """The columns beside the breakdown."""
        return tuple(getattr(self, name) for name in _COST)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedSpan:
    """What the cost of a stored span depends on, and the cost that it has, without its breakdown."""

    usage: Usage | None
    is_call: bool
    provider: str | None
    model: str | None
    response_model: str | None
    tier: str | None
    usage_counted: bool
    call_counted: bool
    cost: SpanCost


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The spans of a project that start in `[start, end)`, of one provider and of one model if they are named."""

    tenant: Tenant
    start: datetime
    end: datetime
    provider: str | None = None
    model: str | None = None

    @property
    def condition(self) -> str:
        """The spans `s` as SQL; those that have no usage and are no calls have no cost and are left out."""
        provider = "" if self.provider is None else "AND s.provider = %(provider)s"
        model = "" if self.model is None else "AND (s.model = %(model)s OR s.response_model = %(model)s)"
        return f"""s.organisation_id = %(organisation)s AND s.project_id = %(project)s
            AND s.ts >= %(start)s AND s.ts < %(end)s
            AND (s.{USAGE_PARTS[0]} IS NOT NULL OR s.unpriced_reason IS NOT NULL) {provider} {model}"""

    @property
    def parameters(self) -> dict[str, Any]:
        """The values of the condition."""
        return tenant_values(self.tenant) | {
            "start": self.start,
            "end": self.end,
            "provider": self.provider,
            "model": self.model,
        }


def tenant_values(tenant: Tenant) -> dict[str, Any]:
    return {"organisation": tenant.organisation_id, "project": tenant.project_id}


def count_costs(chosen: Chosen) -> int:
    """Return how many spans there are to price."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM llm_traces AS s WHERE {chosen.condition}", chosen.parameters)
        found: int = cursor.fetchone()[0]
    return found


def read_costs(chosen: Chosen, *, after: Position | None, limit: int) -> list[PricedSpan]:
    """Return the first spans `after` a position in the order of their keys."""
    given = chosen.parameters | {"limit": limit}
    behind = ""
    if after is not None:
        behind = "AND s.ts >= %(after)s AND (s.ts, s.trace_id, s.span_id) > (%(after)s, %(trace)s, %(span)s)"
        given |= dict(zip(("after", "trace", "span"), after, strict=True))
    with connection.cursor() as cursor:
        # Spans that were stored before their tier was kept have it from the price that they were given.
        cursor.execute(
            f"""
            SELECT s.ts, s.trace_id, s.span_id, {", ".join(f"s.{name}" for name in _COST)}, s.operation_name,
                s.provider, s.model, s.response_model, coalesce(s.service_tier, p.service_tier),
                s.usage_counted, s.call_counted, {", ".join(f"s.{name}" for name in USAGE_PARTS)}
            FROM llm_traces AS s LEFT JOIN model_prices AS p ON p.id = s.price_id
            WHERE {chosen.condition} {behind}
            ORDER BY s.ts, s.trace_id, s.span_id LIMIT %(limit)s
            """,
            given,
        )
        return [_span(row) for row in cursor]


def _span(row: tuple[Any, ...]) -> PricedSpan:
    ts, trace_id, span_id, *costs = row[:8]
    operation, provider, model, response_model, tier, usage_counted, call_counted = row[8:15]
    parts = row[15:]
    usage = None if parts[0] is None else Usage(**dict(zip(PARTS, parts, strict=True)))
    return PricedSpan(
        usage=usage,
        is_call=is_model_call(operation, has_usage=usage is not None),
        provider=provider,
        model=model,
        response_model=response_model,
        tier=tier,
        usage_counted=usage_counted,
        call_counted=call_counted,
        cost=SpanCost(ts=ts, trace_id=bytes(trace_id), span_id=bytes(span_id), **dict(zip(_COST, costs, strict=True))),
    )


def write_costs(tenant: Tenant, costs: Sequence[SpanCost]) -> None:
    """Write `costs` of a project's spans and mark what changed; part of the caller's transaction.

    The breakdown of a span whose content is gone is gone with it.
    """
    if not costs:
        return
    given = _given(tenant, costs) | {
        **{name: [getattr(one, name) for one in costs] for name in _COST},
        "breakdowns": [one.breakdown for one in costs],
    }
    types = "".join(f", %({name})s::{kind}[]" for name, kind in _COST_TYPES.items())
    engine().unpack_freely()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE llm_traces AS s SET {", ".join(f"{name} = given.{name}" for name in _COST)}
            FROM {_KEYS.format(types=types, names="".join(f", {name}" for name in _COST))}
            WHERE {_FOUND}
            """,
            given,
        )
        cursor.execute(
            f"""
            UPDATE llm_contents AS s SET cost_breakdown = given.breakdown::jsonb
            FROM {_KEYS.format(types=", %(breakdowns)s::text[]", names=", breakdown")}
            WHERE {_FOUND}
            """,
            given,
        )
    mark_changed(tenant, {_nanoseconds(one.ts) for one in costs})


def keep_costs(run: int, tenant: Tenant, costs: Sequence[SpanCost]) -> None:
    """Keep with `run` the costs, as they are stored now, of the spans that `costs` name."""
    if not costs:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH old AS (
                SELECT s.* FROM {_KEYS.format(types="", names="")} JOIN llm_traces AS s ON {_FOUND}
            ), contents AS (
                SELECT s.ts, s.trace_id, s.span_id, s.cost_breakdown
                FROM {_KEYS.format(types="", names="")} JOIN llm_contents AS s ON {_FOUND}
            )
            INSERT INTO cost_run_spans (run_id, organisation_id, project_id, ts, trace_id, span_id, {", ".join(_COST)},
                cost_breakdown)
            SELECT %(run)s, old.organisation_id, old.project_id, ts, trace_id, span_id,
                {", ".join(f"old.{name}" for name in _COST)}, contents.cost_breakdown
            FROM old LEFT JOIN contents USING (ts, trace_id, span_id)
            """,
            _given(tenant, costs) | {"run": run},
        )


def kept_tenants(run: int) -> list[Tenant]:
    """Return the projects of which a run still keeps old costs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT organisation_id, project_id FROM cost_run_spans WHERE run_id = %s ORDER BY 1, 2", [run]
        )
        return [Tenant(organisation_id=organisation, project_id=project) for organisation, project in cursor]


def count_kept(run: int) -> int:
    """Return of how many spans a run keeps the old costs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM cost_run_spans WHERE run_id = %s", [run])
        found: int = cursor.fetchone()[0]
    return found


def take_kept(run: int, tenant: Tenant, *, limit: int) -> list[SpanCost]:
    """Take the first old costs that a run keeps of a project; part of the transaction that writes them back."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH first AS (
                SELECT ts, trace_id, span_id FROM cost_run_spans
                WHERE run_id = %(run)s AND organisation_id = %(organisation)s AND project_id = %(project)s
                ORDER BY ts, trace_id, span_id LIMIT %(limit)s
            ), taken AS (
                DELETE FROM cost_run_spans AS kept USING first
                WHERE kept.run_id = %(run)s AND kept.organisation_id = %(organisation)s
                    AND kept.project_id = %(project)s AND kept.ts = first.ts AND kept.trace_id = first.trace_id
                    AND kept.span_id = first.span_id
                RETURNING kept.*
            )
            SELECT ts, trace_id, span_id, {", ".join(_COST)}, cost_breakdown::text FROM taken
            ORDER BY ts, trace_id, span_id
            """,
            tenant_values(tenant) | {"run": run, "limit": limit},
        )
        return [
            SpanCost(
                ts=ts,
                trace_id=bytes(trace_id),
                span_id=bytes(span_id),
                **dict(zip(_COST, costs, strict=True)),
                breakdown=breakdown,
            )
            for ts, trace_id, span_id, *costs, breakdown in cursor
        ]


def later_run_on_same_spans(run: int) -> int | None:
    """Return the newest later run that changed a span of `run` and was not undone."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT max(later.run_id) FROM cost_run_spans AS kept JOIN cost_run_spans AS later
                USING (organisation_id, project_id, ts, trace_id, span_id)
            WHERE kept.run_id = %(run)s AND later.run_id > %(run)s
            """,
            {"run": run},
        )
        found: int | None = cursor.fetchone()[0]
    return found


def forget_costs_behind() -> int:
    """Delete old costs of spans that are gone and under no legal hold; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM cost_run_spans AS kept WHERE EXISTS (
                SELECT FROM retention_horizons AS h
                WHERE h.kind = 'spans' AND h.organisation_id IN (0, kept.organisation_id)
                    AND h.project_id IN (0, kept.project_id) AND h.kept_since > kept.ts
            ) AND NOT EXISTS (
                SELECT FROM legal_holds AS h
                WHERE h.organisation_id = kept.organisation_id AND h.project_id IN (0, kept.project_id)
            )
            """
        )
        deleted: int = cursor.rowcount
    return deleted


def _given(tenant: Tenant, costs: Sequence[SpanCost]) -> dict[str, Any]:
    starts = [one.ts for one in costs]
    return tenant_values(tenant) | {
        "ts": starts,
        "traces": [one.trace_id for one in costs],
        "spans": [one.span_id for one in costs],
        "first": min(starts),
        "last": max(starts),
    }


def _nanoseconds(instant: datetime) -> int:
    return (int(instant.timestamp()) * 1_000_000 + instant.microsecond) * _US
