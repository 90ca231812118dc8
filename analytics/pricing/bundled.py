"""The dated book a new installation starts with, made from the data that genai-prices ships."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from analytics.pricing.book import DEFAULT_TIER, PriceRow, example, matcher, specificity
from analytics.pricing.clauses import literal, patterns_of

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

SOURCE = "genai-prices"
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
# Its provider -> the names that spans have for it. Anybody else has one name.
_PROVIDERS: dict[str, tuple[str, ...]] = {
    "aws": ("aws.bedrock", "aws"),
    "azure": ("azure.ai.openai", "azure.ai.inference"),
    "google": ("google", "gcp.vertex_ai"),
    "moonshotai": ("moonshotai", "moonshot"),
    "together": ("together", "together_ai"),
    "x-ai": ("x_ai", "xai", "x-ai"),
}
# What a request says to be billed differently -> tier. Other conditions ("speed", "route") are no tier.
_TIERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("batch", {"processing": "batch"}),
    ("flex", {"service_tier": "flex"}),
    ("priority", {"service_tier": "priority"}),
)
# Part -> its price there, first one set. A price of cache writes without a lifetime is for both lifetimes.
_PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("input", ("input_mtok",)),
    ("output", ("output_mtok",)),
    ("cache_read", ("cache_read_mtok",)),
    ("cache_write_5m", ("cache_write_5m_mtok", "cache_write_mtok")),
    ("cache_write_1h", ("cache_write_1h_mtok", "cache_write_mtok")),
    ("audio_input", ("input_audio_mtok",)),
    ("audio_output", ("output_audio_mtok",)),
    ("reasoning", ("output_reasoning_mtok",)),
    ("per_request", ("requests_kcount",)),
)
# Prices there that are for other numbers of things than here.
_SCALES = {"requests_kcount": Decimal("0.001")}
_PART_NAMES = tuple(part for part, _ in _PARTS)
_NANO = Decimal("1e-9")
_SAMPLES_A_DAY = 48
_Said = tuple[tuple[int, tuple[Decimal | None, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Rows of the book, and the prices that its form cannot say (billed by the hour, page or character)."""

    rows: tuple[PriceRow, ...]
    skipped: int


def bundled_prices() -> tuple[PriceRow, ...]:
    """Return the rows of the bundled book, always the same in the same order."""
    return bundle().rows


@cache
def bundle() -> Bundle:
    """Return the bundled book with the number of prices it leaves out."""
    from genai_prices.data import providers  # noqa: PLC0415  1.6 MB of literals that only importing prices needs

    by_id = {provider.id: provider for provider in providers}
    rows: list[PriceRow] = []
    for provider in providers:
        named = tuple(_rows_of(provider, by_id))
        for name in _PROVIDERS.get(provider.id, (provider.id,)):
            rows.extend(replace(row, provider=name) for row in named)
    skipped = sum(not _stretches(model) for provider in providers for model in provider.models)
    return Bundle(rows=tuple(sorted(rows, key=attrgetter("key"))), skipped=skipped)


def _rows_of(provider: "Provider", by_id: dict[str, "Provider"]) -> Iterator[PriceRow]:
    """Yield the rows of a provider's own models, then of those it resells, which cost the same in every tier."""
    own = _rows_of_models(provider.models, taken=())
    yield from own
    yield from _guards(own)
    for name in provider.fallback_model_providers or ():
        resold = _rows_of_models(by_id[name].models, taken={row.model_pattern for row in own})
        for row in resold:
            # What the provider has a price of its own for, it does not resell.
            if row.service_tier == DEFAULT_TIER and provider.find_model(example(row.model_pattern)) is None:
                yield row
                own.append(row)


def _rows_of_models(models: Sequence["ModelInfo"], *, taken: Collection[str]) -> list[PriceRow]:
    """Return rows without a provider; the first model with a pattern keeps it, as none of `taken` is used again."""
    seen = set(taken)
    rows: list[PriceRow] = []
    for model in models:
        stretches = _stretches(model)
        # Clauses there ignore case; the id is how the model is really written.
        names = (*patterns_of(model.match), *((literal(model.id),) if model.is_match(model.id) else ()))
        patterns = [pattern for pattern in dict.fromkeys(names) if pattern not in seen]
        seen.update(patterns if stretches else ())
        rows.extend(replace(row, model_pattern=pattern) for pattern in patterns for row in stretches)
    return rows


def _guards(rows: Sequence[PriceRow]) -> Iterator[PriceRow]:
    """Yield a tier's rows for models without a price in it, where the tier's row of a wider pattern would catch them.

    A tier is looked for before a name, so "gemini-pro-tts" must say that batches cost it what single calls cost.
    """
    usual: dict[str, list[PriceRow]] = {}
    tiered: dict[str, set[str]] = {}
    for row in rows:
        if row.service_tier == DEFAULT_TIER:
            usual.setdefault(row.model_pattern, []).append(row)
        else:
            tiered.setdefault(row.service_tier, set()).add(row.model_pattern)
    for tier, patterns in tiered.items():
        wide = [matcher(pattern) for pattern in patterns if not specificity(pattern)[0]]
        for pattern in usual.keys() - patterns:
            if any(matches(example(pattern)) for matches in wide):
                yield from (replace(row, service_tier=tier) for row in usual[pattern])


def _stretches(model: "ModelInfo") -> list[PriceRow]:
    """Return the prices of a model, tier by tier and date by date, without provider and pattern."""
    starts = sorted({_BEGINNING, *_start_dates(model)})
    standard = [_said_at(model, start, {}) for start in starts]
    rows = list(_dated(DEFAULT_TIER, starts, standard))
    for tier, condition in _TIERS:
        said = [_said_at(model, start, condition) for start in starts]
        # Where a tier costs what the default costs, the default's row says it.
        rows += _dated(tier, starts, [own if own != usual else () for own, usual in zip(said, standard, strict=True)])
    return rows


def _start_dates(model: "ModelInfo") -> Iterator[datetime]:
    conditional = model.prices if isinstance(model.prices, list) else []
    for holder in (*conditional, *(model.price_variants or ())):
        if (start := getattr(holder.constraint, "start_date", None)) is not None:
            yield datetime.combine(start, time(), tzinfo=UTC)


def _said_at(model: "ModelInfo", day: datetime, condition: dict[str, str]) -> _Said:
    """Return what the model costs on `day`; where that depends on the hour, what it costs most of the day."""
    moments = [day]
    if isinstance(model.prices, list) and any(hasattr(one.constraint, "start_time") for one in model.prices):
        moments = [day + timedelta(days=sample) // _SAMPLES_A_DAY for sample in range(_SAMPLES_A_DAY)]
    said = Counter(_said(model.get_prices(moment, condition)) for moment in moments)
    return said.most_common(1)[0][0]


def _said(prices: "ModelPrice") -> _Said:
    """Return (prompt tokens above which it holds, price of each part) in ascending order; nothing if it has no form."""
    given = {name: price for name, price in vars(prices).items() if price is not None}
    if "input_mtok" not in given:
        return ()
    # An embedding has no output and no price of it; where output is billed in another unit, the price is not known.
    if "output_mtok" not in given and any(name.startswith("output_") for name in given):
        return ()
    thresholds = {0, *(tier.start for price in given.values() for tier in getattr(price, "tiers", ()))}
    return tuple((above, tuple(_rate(given, names, above) for _, names in _PARTS)) for above in sorted(thresholds))


def _rate(given: dict[str, Any], names: tuple[str, ...], above: int) -> Decimal | None:
    name = next((name for name in names if name in given), None)
    if name is None:
        return None
    price = given[name]
    tiers = [tier.price for tier in getattr(price, "tiers", ()) if tier.start <= above]
    rate = Decimal(tiers[-1] if tiers else getattr(price, "base", price)) * _SCALES.get(name, 1)
    # A few prices there went through binary floating point; the book keeps nano-dollars.
    return rate if rate == (rounded := rate.quantize(_NANO)) else rounded.normalize()


def _dated(tier: str, starts: Sequence[datetime], said: Sequence[_Said]) -> Iterator[PriceRow]:
    ends: list[datetime | None] = [*starts[1:], None]
    begun: datetime | None = None
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        begun = begun or start
        if end is not None and said[place + 1] == said[place]:
            continue
        for above, rates in said[place]:
            each = dict(zip(_PART_NAMES, rates, strict=True))
            yield PriceRow(
                provider="",
                model_pattern="",
                service_tier=tier,
                min_prompt_tokens=above,
                valid_from=begun,
                valid_to=end,
                input=each.pop("input") or Decimal(0),
                output=each.pop("output") or Decimal(0),
                **each,
            )
        begun = None
