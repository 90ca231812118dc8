"""Evaluations that come with a span's events; those that come later are opinions on a stored trace."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from django.db import connection

_NS = 1_000_000_000
_LABEL_CHARS, _EXPLANATION_CHARS = 256, 10_000


def insert_evaluations(rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep the evaluations of `rows`, spans that have some, each beside its span."""
    found = [_row(row, told) for row in rows for told in row["evaluations"]]
    if not found:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO trace_evaluations (organisation_id, project_id, trace_id, span_id, ts, created_at,
                evaluator_name, score, passed, label, explanation)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            found,
        )


def _row(row: Mapping[str, Any], told: dict[str, Any]) -> tuple[Any, ...]:
    return (
        row["organisation_id"],
        row["project_id"],
        row["trace_id"],
        row["span_id"],
        _instant(row["ts"]),
        told.get("ts") or _instant(row["ts"]),
        told["evaluator_name"][:_LABEL_CHARS],
        _finite(told.get("score")),
        None,
        _cut(told.get("label"), _LABEL_CHARS),
        _cut(told.get("explanation"), _EXPLANATION_CHARS),
    )


def _finite(score: float | None) -> Decimal | None:
    """Return the shortest decimal that reads as `score`, nothing for what is no number."""
    return Decimal(str(score)) if score is not None and isfinite(score) else None


def _cut(text: str | None, longest: int) -> str | None:
    return text and text[:longest]


def _instant(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds // _NS, tz=UTC).replace(microsecond=nanoseconds // 1000 % 1_000_000)
