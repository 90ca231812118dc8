"""Sends demo batches down the ingest path."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from analytics.ingest.normalise import Limits, normalise
from analytics.ingest.service import accept
from analytics.ingest.span import NormalSpan
from analytics.ingest.wire import decode
from analytics.management.demo.generator import DemoBatch
from analytics.management.demo.rhythm import nanoseconds
from analytics.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """Spans of one project: stored, dropped because they were there already, refused."""

    stored: int = 0
    duplicates: int = 0
    rejected: int = 0

    def __add__(self, other: "Seeded") -> "Seeded":
        return Seeded(
            stored=self.stored + other.stored,
            duplicates=self.duplicates + other.duplicates,
            rejected=self.rejected + other.rejected,
        )


def store(
    batches: Iterable[DemoBatch],
    *,
    scopes: Mapping[str, Scope],
    received_at: datetime,
    after_each: Callable[[DemoBatch], None],
) -> dict[str, Seeded]:
    """Store every batch in the scope of its project and return the counts by project.

    Each batch is one transaction; `after_each` is called when it is committed. Raises Django's database errors.
    """
    done = dict.fromkeys(scopes, Seeded())
    for batch in batches:
        done[batch.project] += _store_one(batch, scope=scopes[batch.project], received_at=received_at)
        after_each(batch)
    return done


def _store_one(batch: DemoBatch, *, scope: Scope, received_at: datetime) -> Seeded:
    now_ns, limits = nanoseconds(received_at), _limits()
    raw = decode(batch.request.SerializeToString(), json=False).spans
    results = [normalise(span, limits=limits, now_ns=now_ns) for span in raw]
    spans = [result for result in results if isinstance(result, NormalSpan)]
    accepted = accept(scope=scope, spans=spans, received_at=received_at)
    return Seeded(stored=accepted.stored, duplicates=accepted.duplicates, rejected=len(results) - len(spans))


def _limits() -> Limits:
    return Limits(
        span_bytes=settings.INGEST_MAX_SPAN_BYTES,
        attributes=settings.INGEST_MAX_ATTRIBUTES,
        text_chars=settings.INGEST_MAX_TEXT_CHARS,
        future_seconds=settings.INGEST_MAX_FUTURE_SECONDS,
        past_days=settings.RETENTION_SPANS_DAYS,
        exclusive_scopes=frozenset(settings.USAGE_EXCLUSIVE_SCOPES),
    )
