"""Providers' usage files beside our own counts, by day and model."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from io import StringIO
from pathlib import Path

from analytics.storage.cost_reports import UsageOfDay, usage_by_day
from analytics.storage.exclusive import RefusedError
from analytics.storage.horizons import horizons_of
from analytics.storage.sizes import Range, tenants_in

Key = tuple[date, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure that a file has: the columns that add up to it, and the same of our own usage."""

    key: str
    columns: tuple[str, ...]
    ours: Callable[[UsageOfDay], int]
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a provider writes its usage: the column of the day, of the model, and the figures.

    `columns` of the day are tried in their order. `other` is a column by which another export of the provider is
    known, and `export` says where the right one is.
    """

    provider: str
    day: tuple[str, ...]
    model: str
    figures: tuple[Figure, ...]
    export: str
    other: str | None = None


# https://platform.openai.com/docs/api-reference/usage: totals include text, audio, image and cached tokens.
_OPENAI = Layout(
    provider="openai",
    day=("start_time", "start_time_iso"),
    model="model",
    figures=(
        Figure(key="requests", columns=("num_model_requests",), ours=lambda one: one.requests),
        Figure(key="input_tokens", columns=("input_tokens",), ours=lambda one: one.usage.prompt),
        Figure(key="cache_read_tokens", columns=("input_cached_tokens",), ours=lambda one: one.usage.cache_read),
        Figure(
            key="cache_write_tokens",
            columns=("input_cache_write_tokens",),
            ours=lambda one: one.usage.cache_write_5m + one.usage.cache_write_1h,
            optional=True,
        ),
        Figure(key="output_tokens", columns=("output_tokens",), ours=lambda one: one.usage.completion),
    ),
    export="Usage, Completions, Export, grouped by model",
    other="amount_value",
)
# Usage page of the Console. Its input is without the cache, and it counts no requests.
_ANTHROPIC = Layout(
    provider="anthropic",
    day=("usage_date_utc",),
    model="model_version",
    figures=(
        Figure(
            key="uncached_input_tokens",
            columns=("usage_input_tokens_no_cache",),
            ours=lambda one: one.usage.uncached_input + one.usage.audio_input,
        ),
        Figure(
            key="cache_read_tokens",
            columns=("usage_input_tokens_cache_read",),
            ours=lambda one: one.usage.cache_read,
        ),
        Figure(
            key="cache_write_5m_tokens",
            columns=("usage_input_tokens_cache_write_5m",),
            ours=lambda one: one.usage.cache_write_5m,
        ),
        Figure(
            key="cache_write_1h_tokens",
            columns=("usage_input_tokens_cache_write_1h",),
            ours=lambda one: one.usage.cache_write_1h,
        ),
        Figure(key="output_tokens", columns=("usage_output_tokens",), ours=lambda one: one.usage.completion),
    ),
    export="Usage, Export",
    other="cost_usd",
)
LAYOUTS: Mapping[str, Layout] = {one.provider: one for one in (_OPENAI, _ANTHROPIC)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A figure of a day and model that the two sides count differently."""

    day: date
    model: str
    figure: str
    theirs: int
    ours: int

    @property
    def missing(self) -> int:
        """How much more the provider counts than we do."""
        return self.theirs - self.ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The days and models that were compared, where they differ, and the days whose spans are gone."""

    compared: int
    gaps: Sequence[Gap]
    not_kept: Sequence[date]


def invoice_compare(path: Path, *, provider: str, project_id: int | None) -> Compared:
    """Compare a provider's usage file with the usage that was counted, of all projects or of one."""
    layout = LAYOUTS[provider]
    figures, theirs = _read(path, layout)
    first, last = min(day for day, _ in theirs), max(day for day, _ in theirs)
    kept_since, ours = _ours(layout, first, last, project_id)
    keys = sorted(set(theirs) | set(ours))
    gaps = [
        Gap(day=day, model=model, figure=figure.key, theirs=counted, ours=held)
        for day, model in keys
        if day >= kept_since
        for figure in figures
        if (counted := theirs.get((day, model), Counter())[figure.key]) != (held := _held(ours, day, model, figure))
    ]
    return Compared(
        compared=sum(day >= kept_since for day, _ in keys),
        gaps=gaps,
        not_kept=sorted({day for day, _ in keys if day < kept_since}),
    )


def _held(ours: Mapping[Key, UsageOfDay], day: date, model: str, figure: Figure) -> int:
    one = ours.get((day, model))
    return 0 if one is None else figure.ours(one)


def _ours(layout: Layout, first: date, last: date, project_id: int | None) -> tuple[date, dict[Key, UsageOfDay]]:
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    tenants = tenants_in(Range(table="llm_traces", column="ts", start=start, end=end))
    wanted = [one for one in tenants if project_id in {None, one.project_id}]
    kept_since = horizons_of([one.project_id for one in wanted]).spans
    found: dict[Key, UsageOfDay] = {}
    for tenant in wanted:
        for one in usage_by_day(tenant, provider=layout.provider, start=max(start, kept_since), end=end):
            known = found.get((one.day, one.model))
            found[one.day, one.model] = one if known is None else known + one
    return kept_since.date(), found


def _read(path: Path, layout: Layout) -> tuple[Sequence[Figure], dict[Key, Counter[str]]]:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise RefusedError(f"{path} cannot be read as CSV in UTF-8: {problem}.") from problem
    reader = csv.DictReader(StringIO(content, newline=""), restkey="", restval="")
    try:
        figures = _figures(reader.fieldnames or (), layout)
        found: dict[Key, Counter[str]] = {}
        for number, row in _lines(reader):
            counts = {one.key: sum(_count(row, name, number) for name in one.columns) for one in figures}
            if any(counts.values()):
                key = _day(row, layout, number), _model(row, layout, number)
                found.setdefault(key, Counter()).update(counts)
    except csv.Error as problem:
        raise RefusedError(f"{path} is not CSV: {problem}.") from problem
    if not found:
        raise RefusedError(f"{path} holds no usage.")
    return figures, found


def _lines(reader: "csv.DictReader[str]") -> Iterator[tuple[int, Mapping[str, str]]]:
    for row in reader:
        yield reader.line_num, row


def _figures(names: Sequence[str], layout: Layout) -> Sequence[Figure]:
    if layout.other in names and layout.figures[0].columns[0] not in names:
        raise RefusedError(f"This is an export of costs; take the one of usage: {layout.export}.")
    figures = [one for one in layout.figures if not one.optional or set(one.columns) <= set(names)]
    needed = [layout.model, *(name for one in figures for name in one.columns)]
    missing = [name for name in needed if name not in names]
    if not set(layout.day) & set(names):
        missing.insert(0, layout.day[0])
    if missing:
        raise RefusedError(
            f"The file has no column {missing[0]}, so it is no usage of {layout.provider}: take {layout.export}."
        )
    return figures


def _count(row: Mapping[str, str], name: str, line: int) -> int:
    value = (row[name] or "0").strip()
    try:
        # Some exports write whole numbers as 3.0.
        number = Decimal(value)
        count = int(number)
    except (InvalidOperation, ValueError, OverflowError):
        raise RefusedError(f"Line {line}: {name} is {value}, which is no count.") from None
    if count != number or count < 0:
        raise RefusedError(f"Line {line}: {name} is {value}, which is no count.")
    return count


def _day(row: Mapping[str, str], layout: Layout, line: int) -> date:
    for name in layout.day:
        value = row.get(name, "").strip()
        try:
            if value.isascii() and value.isdigit():
                return datetime.fromtimestamp(int(value), tz=UTC).date()
            if value:
                at = datetime.fromisoformat(value)
                return (at if at.tzinfo is None else at.astimezone(UTC)).date()
        except (ValueError, OverflowError, OSError):
            raise RefusedError(f"Line {line}: {name} is {value}, which is no time.") from None
    raise RefusedError(f"Line {line}: {layout.day[0]} is empty.")


def _model(row: Mapping[str, str], layout: Layout, line: int) -> str:
    if not (model := row[layout.model].strip()):
        raise RefusedError(f"Line {line}: {layout.model} is empty; take {layout.export}.")
    return model
