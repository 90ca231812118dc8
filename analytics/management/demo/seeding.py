"""Sends demo batches down the ingest path."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from analytics.ingest.service import receive
from analytics.ingest.wire import decode
from analytics.management.demo.generator import DemoBatch
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
    spans = decode(batch.request.SerializeToString(), json=False).spans
    received = receive(scope=scope, spans=spans, received_at=received_at)
    return Seeded(stored=received.stored, duplicates=received.duplicates, rejected=len(received.rejected))
