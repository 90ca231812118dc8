"""The price book: which price a call has, by provider, model, tier, time and prompt."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fnmatch import translate
from functools import cached_property, lru_cache
from operator import attrgetter

from analytics.pricing.names import other_names
from analytics.pricing.tariffs import Tariff, tariff

DEFAULT_TIER = "default"
_WILDCARD = re.compile(r"\[[^]]*\]|[*?]")
_ESCAPED = len("[*]")
# The prices of a row, by the names of its columns.
RATES = (
    "input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "audio_input", "audio_output", "reasoning",
    "per_request",
)  # fmt: skip
# Dollars. With it the cost of the most tokens that a span can have fits into eight bytes of nano-dollars.
MOST_RATE = 1_000_000
_rates = attrgetter(*RATES)
_REMEMBERED_CALLS = 4096


@dataclass(frozen=True, kw_only=True)  # without slots: what is worked out of a row is kept with it
class PriceRow:
    """Dollars per million tokens of the models that `model_pattern` matches, from `valid_from` until `valid_to`.

    A pattern is a name or a case-sensitive glob (`*`, `?`, `[...]`). A part without a price of its own is `None`.
    `per_request` is dollars for each call, beside its tokens. A row that ends when it begins withdraws an earlier one.
    """

    provider: str
    model_pattern: str
    service_tier: str = DEFAULT_TIER
    min_prompt_tokens: int = 0
    valid_from: datetime
    valid_to: datetime | None = None
    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None
    reasoning: Decimal | None = None
    per_request: Decimal | None = None

    @property
    def key(self) -> tuple[str, str, str, int, datetime]:
        """What the row is the price of: of rows with one key the last one given is the correction."""
        return self.provider, self.model_pattern, self.service_tier, self.min_prompt_tokens, self.valid_from

    @property
    def said(self) -> tuple[datetime | None, tuple[Decimal | None, ...]]:
        """What the row says of its key: until when, and the price of each part."""
        return self.valid_to, _rates(self)

    @cached_property
    def tariff(self) -> Tariff:
        """What the row says of each part of a call."""
        return tariff(dict(zip(RATES, _rates(self), strict=True)))


@dataclass(frozen=True, kw_only=True)
class Price(PriceRow):
    """A row of the book; `id` is the price version that a span's cost names, `source` is where it came from."""

    id: int
    source: str = ""


def specificity(pattern: str) -> tuple[bool, int]:
    """Return a key that sorts exact names above globs, and globs by the characters they fix."""
    fixed = fixed_text(pattern)
    return fixed == pattern, len(fixed)


def fixed_text(pattern: str) -> str:
    """Return the characters that a pattern fixes."""
    return _WILDCARD.sub(lambda found: found[0][1] if len(found[0]) == _ESCAPED else "", pattern)


def example(pattern: str) -> str:
    """Return a name that the pattern matches, the shortest."""
    return _WILDCARD.sub(lambda found: "" if found[0] == "*" else found[0][1:2], pattern)


@lru_cache(maxsize=16_384)  # a book has thousands of patterns, and lists are narrowed by them
def matcher(pattern: str) -> Callable[[str], object]:
    """Return a test of names against a glob; the usual ones need no regular expression."""
    fixed = fixed_text(pattern)
    if pattern == fixed:
        return lambda name: name == fixed
    if pattern == f"{fixed}*":
        return lambda name: name.startswith(fixed)
    if pattern == f"*{fixed}*":
        return lambda name: fixed in name
    return re.compile(translate(pattern)).match


class PriceBook:
    """Prices, looked up in memory, with the book they lie over if there is one: their own rows win over its rows.

    Of rows that say the same, the one given last wins: it is the correction.
    """

    def __init__(self, prices: Iterable[Price], *, over: "PriceBook | None" = None) -> None:
        self.prices: tuple[Price, ...] = tuple(prices)
        self._over = over
        by_provider: dict[str, dict[str, list[Price]]] = {}
        for price in {price.key: price for price in self.prices}.values():
            by_provider.setdefault(price.provider, {}).setdefault(price.model_pattern, []).append(price)
        self._exact: dict[tuple[str, str], list[Price]] = {}
        self._globs: dict[str, list[tuple[Callable[[str], object], list[Price]]]] = {}
        for provider, patterns in by_provider.items():
            for pattern in sorted(patterns, key=lambda pattern: (*specificity(pattern), pattern), reverse=True):
                if specificity(pattern)[0]:
                    self._exact[provider, pattern] = patterns[pattern]
                else:
                    self._globs.setdefault(provider, []).append((matcher(pattern), patterns[pattern]))
        # The same few calls come again and again; a hostile sender's many names push each other out.
        self._candidates = lru_cache(maxsize=_REMEMBERED_CALLS)(self._matching)

    def find(
        self, *, provider: str | None, models: Sequence[str | None], tier: str, at: datetime, prompt_tokens: int
    ) -> Price | None:
        """Return the price of a call by the first of `models` (who answered, who was asked) that has one.

        Rows of the tier come before those of the default tier, this book's own before those of the one beneath, who
        answered before who was asked, the name as it is written before the one that it is another spelling of, an exact
        name before the glob that fixes most characters, the greatest `min_prompt_tokens` below the prompt before
        smaller ones. Without a provider: `None`.
        """
        if provider is None:
            return None
        for prices in self._candidates(provider, tuple(models), tier):
            if (price := _valid(prices, at, prompt_tokens)) is not None:
                return price
        return None

    def _matching(self, provider: str, models: tuple[str | None, ...], tier: str) -> tuple[tuple[Price, ...], ...]:
        books = (self,) if self._over is None else (self, self._over)
        return tuple(
            in_tier
            for wanted in dict.fromkeys((tier, DEFAULT_TIER))
            for book in books
            for model in models
            if model
            for name in (model, *other_names(provider, model))
            for prices in book._named(provider, name)  # noqa: SLF001  of its own class
            if (in_tier := tuple(price for price in prices if price.service_tier == wanted))
        )

    def _named(self, provider: str, model: str) -> list[list[Price]]:
        found = [self._exact[provider, model]] if (provider, model) in self._exact else []
        return found + [prices for matches, prices in self._globs.get(provider, ()) if matches(model)]


def _valid(prices: Sequence[Price], at: datetime, prompt_tokens: int) -> Price | None:
    best: Price | None = None
    for price in prices:
        if price.valid_from > at or (price.valid_to is not None and price.valid_to <= at):
            continue
        if price.min_prompt_tokens and price.min_prompt_tokens >= prompt_tokens:
            continue
        if best is None or _rank(price) >= _rank(best):
            best = price
    return best


def _rank(price: Price) -> tuple[int, datetime]:
    return price.min_prompt_tokens, price.valid_from
