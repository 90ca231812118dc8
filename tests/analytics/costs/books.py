"""Rows of the price book as tests add them, and calls of the models they are for."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from analytics.costs.price_book import adding_prices, prices_add
from analytics.ingest.service import receive
from analytics.ingest.wire import RawSpan
from analytics.pricing.book import RATES, PriceRow
from analytics.scope import Scope, ScopedProject

NS = 1_000_000_000
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


def row(**said: Any) -> PriceRow:
    """Return a row of acme's model one that has always held; rates may be given as text."""
    given = {"provider": "acme", "model_pattern": "one", "valid_from": ALWAYS, "input": "1", "output": "2"} | said
    return PriceRow(**{name: Decimal(value) if name in RATES and value else value for name, value in given.items()})


def add(*rows: PriceRow, source: str = "test", organisation_id: int = 0) -> list[int]:
    with adding_prices():
        return prices_add(rows, source=source, organisation_id=organisation_id)


def scope_of(project: Any) -> Scope:
    return Scope(
        projects={project.id: ScopedProject(organisation_id=project.organisation_id, public_id=project.public_id)},
        permissions=frozenset(),
    )


def call(number: int, at: datetime, *, trace: int | None = None, parent: int | None = None, **said: Any) -> RawSpan:
    """Return a call of acme's model one with 1,000 and 500 tokens; `said` are attributes by their Python names."""
    start = int(at.timestamp()) * NS + at.microsecond * 1000
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "acme",
        "gen_ai.request.model": "one",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 500,
    } | {name.replace("__", "."): value for name, value in said.items()}
    return RawSpan(
        trace_id=(trace or number).to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        parent_span_id=b"" if parent is None else parent.to_bytes(8, "big"),
        name="call",
        start_ns=start,
        end_ns=start + NS,
        status_code=0,
        attributes={name: value for name, value in attributes.items() if value is not None},
    )


def send(project: Any, *spans: RawSpan) -> None:
    receive(scope=scope_of(project), spans=spans, received_at=datetime.now(UTC))
