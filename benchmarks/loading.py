"""Months of spans in minutes: rows that the server computes from their numbers, the same ones every time.

Eight projects, twelve models and tens of thousands of users, each used as unevenly as in life; traces of one to eight
spans; errors, spans without usage, spans without a price. What is loaded is what `receive` would have stored, trace
index and marks included, and the rollups are made by the service's own refresh.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from django.db import connection, connections, transaction

from analytics.registry.rollups import BY_TABLE, DAY, GRAIN_WIDTHS, ROLLUPS
from analytics.scope import Scope, ScopedProject
from analytics.storage.changes import floor
from analytics.storage.horizons import move_horizon
from analytics.storage.making import rebuild
from analytics.storage.partitions import ensure_days
from analytics.storage.retention import KINDS, limits_read
from analytics.storage.rollups import refresh

ORGANISATION = 1
PROJECTS = range(1, 9)
DAYS = 30
USERS_OF_A_PROJECT = 4000
# The newest day is open: spans end in the middle of an hour, which no refresh has taken yet.
_LAST_DAY_FRACTION, _LAST_MOMENT = 0.65, timedelta(hours=13, minutes=45)
_DAYS_TEN_MINUTES = 0.0173  # of the generator, whose noons are busy: so much of its day are the ten around noon
_SQL = Path(__file__).parent / "sql"
_BLOCK = 20  # numbers that the generator makes whole traces of: as many as `_TRACES` has operations
_MODELS: tuple[tuple[str, str, int | None, int | None], ...] = (
    # provider, model, nano-dollars of an input and of an output token
    ("openai", "gpt-4o", 2500, 10_000),
    ("openai", "gpt-4o-mini", 150, 600),
    ("anthropic", "claude-sonnet-4-5-20250929", 3000, 15_000),
    ("anthropic", "claude-3-5-haiku-20241022", 800, 4000),
    ("google", "gemini-2.5-pro", 1250, 10_000),
    ("google", "gemini-2.5-flash", 300, 2500),
    ("openai", "o4-mini", 1100, 4400),
    ("mistral_ai", "mistral-large-latest", 2000, 6000),
    ("deepseek", "deepseek-chat", 270, 1100),
    ("self_hosted", "llama-3.3-70b-instruct", None, None),
    ("openai", "text-embedding-3-small", 20, 0),
    ("cohere", "embed-v4.0", 120, 0),
)
# The operations of six traces, twenty spans in all.
_TRACES: tuple[tuple[str, ...], ...] = (
    ("chat",),
    ("chat",),
    ("invoke_agent", "chat"),
    ("invoke_agent", "chat", "execute_tool"),
    ("invoke_agent", "chat", "execute_tool", "chat", "embeddings"),
    ("invoke_agent", "chat", "execute_tool", "chat", "execute_tool", "embeddings", "chat", "chat"),
)
_SERVICES = [f"{what}-{kind}" for what in ("support", "search", "billing") for kind in ("chat", "api", "batch")]
_ERRORS = ["rate_limit", "timeout", "server_error", "content_filter"]
_WORDS = (
    *("the", "customer", "asks", "whether", "an", "order", "that", "was", "paid", "last", "week", "can", "still"),
    *("be", "sent", "to", "another", "address"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a database holds: so many spans of `DAYS` days that end before `end`, in the middle of an hour."""

    spans: int
    end: datetime

    @property
    def start(self) -> datetime:
        """Start of the first span's day, rounded to the hour."""
        return (self.end - timedelta(days=DAYS)).replace(minute=0, second=0, microsecond=0)

    def scope(self, *projects: int) -> Scope:
        """Return the scope of some of the projects, of all of them when none is named."""
        return Scope(
            projects={
                number: ScopedProject(organisation_id=ORGANISATION, public_id=UUID(int=number))
                for number in projects or PROJECTS
            },
            permissions=frozenset(),
        )


def loaded() -> Loaded | None:
    """Return what an earlier `load` left in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('benchmark_load') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return None
        cursor.execute("SELECT spans, ends FROM benchmark_load")
        row = cursor.fetchone()
    return Loaded(spans=row[0], end=row[1]) if row else None


def load(*, spans: int, today: date, content: int = 0, report: Callable[[str], None] = lambda _line: None) -> Loaded:
    """Fill this database with `spans` spans that end on `today`, the newest `content` of them with their content.

    A database that holds them already is left as it is. Raises `ValueError` when it holds others.
    """
    known = loaded()
    if known is not None:
        if known.spans != spans:
            raise ValueError(f"this database was filled with {known.spans} spans, not {spans}")
        _fill_new_rollups(known, report)
        return known
    last_day = datetime(today.year, today.month, today.day, tzinfo=UTC)
    done = Loaded(spans=spans, end=last_day + _LAST_MOMENT)
    ensure_days((last_day + timedelta(days=1 - number)).date() for number in range(DAYS + 2))
    for number in range(DAYS + 1):
        report(f"day {number + 1} of {DAYS + 1}")
        _generate(spans, midnight=last_day - DAYS * DAY, first=_LAST_DAY_FRACTION, days=DAYS, part=(number, number + 1))
    report("trace index, marks")
    _run("index", {})
    mark(last_day - DAYS * DAY, last_day + DAY)
    if content:
        report(f"content of {content} spans")
        _run("contents", {"spans": content, "text": _text()})
    tidy()
    # What the worker would have dropped by now is not made in the first place.
    for kind in KINDS:
        move_horizon(kind.key, to=limits_read().cutoff(kind.key, now=done.end))
    refresh_all(done, report)
    tidy()
    remember(done)
    return done


def load_ten_minutes(*, spans: int, day: date) -> Loaded:
    """Add `spans` spans in the last ten minutes before noon, with their marks; nothing is refreshed."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    ensure_days([day, day + timedelta(days=1)])
    middle = noon - timedelta(minutes=5)
    first = 0.5 - _DAYS_TEN_MINUTES / 2
    _generate(spans, midnight=middle - DAY / 2, first=first, days=_DAYS_TEN_MINUTES, part=(0, 1))
    mark(noon - timedelta(hours=1), noon + timedelta(hours=1))
    return Loaded(spans=spans, end=noon)


def mark(start: datetime, end: datetime) -> int:
    """Say of every bucket between two instants that it changed; return how many spans they hold."""
    _run("marks", {"start": start, "end": end})
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM llm_traces WHERE ts >= %s AND ts < %s", [start, end])
        counted: int = cursor.fetchone()[0]
    return counted


def refresh_all(what: Loaded, report: Callable[[str], None] = lambda _line: None) -> None:
    """Make every changed bucket anew that was over when the spans ended, as the worker does."""
    for grain in GRAIN_WIDTHS:
        report(f"refreshing {grain}")
        while refresh(grain, before=what.end).more:
            pass


def _fill_new_rollups(what: Loaded, report: Callable[[str], None]) -> None:
    """Make the rollups that this code has and the load had not, so that old stores serve for new measurements."""
    with connection.cursor() as cursor:
        missing = []
        for rollup in ROLLUPS:
            cursor.execute(f"SELECT NOT EXISTS (SELECT FROM {rollup.table})")
            missing += [rollup] if cursor.fetchone()[0] else []
    for rollup in missing:
        report(f"filling {rollup.table}")
        since = max(floor(what.start, DAY), limits_read().cutoff(rollup.kind, now=what.end))
        while since + rollup.width <= what.end:
            until = min(since + DAY, floor(what.end, rollup.width))
            starts = [since + number * rollup.width for number in range(int((until - since) / rollup.width))]
            with transaction.atomic():
                rebuild(rollup, [(ORGANISATION, project, start) for project in PROJECTS for start in starts])
            since = until
    with connections["owner"].cursor() as cursor:
        kinds = sorted({rollup.kind for rollup in missing})
        cursor.execute("DELETE FROM retention_horizons WHERE kind = ANY(%s)", [kinds])
    for kind in kinds:
        move_horizon(kind, to=limits_read().cutoff(kind, now=what.end))
    if missing:
        tidy()


def tidy() -> None:
    """Leave the tables as a server does that has had a quiet minute: vacuumed, with statistics."""
    with connections["owner"].cursor() as cursor:
        for table in ("llm_traces", "llm_contents", "trace_index", "bucket_change", *BY_TABLE):
            cursor.execute(f"VACUUM (ANALYZE) {table}")


def _generate(spans: int, *, midnight: datetime, first: float, days: float, part: tuple[int, int]) -> None:
    """Store the spans of some of the days of a load that begins a fraction of a day after `midnight`."""
    blocks = spans // _BLOCK
    places = [round((end - first) * blocks / days) for end in part]
    first_block, last_block = (min(max(place, 0), blocks) for place in places)
    parameters = {
        "midnight": midnight,
        "first_day": first,
        "days": days,
        "blocks": blocks,
        "first_number": first_block * _BLOCK,
        "last_number": last_block * _BLOCK,
        "users": USERS_OF_A_PROJECT,
        "trace_of": [trace for trace, operations in enumerate(_TRACES) for _ in operations],
        "place_of": [place for operations in _TRACES for place, _ in enumerate(operations)],
        "operations": [operation for operations in _TRACES for operation in operations],
        "services": _SERVICES,
        "errors": _ERRORS,
        "providers": [provider for provider, *_ in _MODELS],
        "models": [model for _, model, *_ in _MODELS],
        "input_prices": [price for *_, price, _ in _MODELS],
        "output_prices": [price for *_, price in _MODELS],
    }
    _run("spans", parameters)


def _text() -> str:
    chance = Random(1)  # noqa: S311  the same text every time
    return " ".join(chance.choices(_WORDS, k=1500))


def _run(name: str, parameters: dict[str, Any]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute((_SQL / f"{name}.sql").read_text(), parameters | {"organisation": ORGANISATION})


def remember(done: Loaded) -> None:
    """Note in this database what it holds."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TABLE benchmark_load AS SELECT %s::bigint AS spans, %s AS ends", [done.spans, done.end])
