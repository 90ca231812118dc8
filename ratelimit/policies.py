"""Who may call how often: the tiers, the route classes, and the bucket that each of them means."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType

from django.conf import settings

from errors import catalog
from errors.catalog import ErrorSpec

# A rate of n tokens a minute is n units a microsecond when a token is as many units as a minute has microseconds:
# refilling is then exact in whole numbers, here and in the double-precision numbers of Lua.
UNITS_PER_TOKEN = 60_000_000
EXACT_BELOW = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A token bucket: `capacity` tokens at most, `units_per_us` added every microsecond, a token is `token_units`."""

    capacity: int
    units_per_us: int
    token_units: int = UNITS_PER_TOKEN

    def __post_init__(self) -> None:
        if self.capacity < 1 or self.units_per_us < 1:
            raise ValueError("a bucket holds at least one token and refills")
        if self.capacity_units >= EXACT_BELOW:
            raise ValueError(f"a bucket holds fewer than {EXACT_BELOW // self.token_units} tokens")

    @property
    def capacity_units(self) -> int:
        return self.capacity * self.token_units

    def seconds_for(self, units: int) -> int:
        """Return the whole seconds, rounded up, in which `units` are refilled."""
        return -(-units // (self.units_per_us * 1_000_000))

    def share(self, divisor: int) -> "Policy":
        """Return this bucket for one of `divisor` processes: rate and capacity divided, at least one token."""
        return replace(self, capacity=max(1, self.capacity // divisor), token_units=self.token_units * divisor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Who pays. `bucket` is the name in the headers; the rate is the setting of the tier's name."""

    name: str
    bucket: str = "principal"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteClass:
    """A group of routes with a second bucket that pays one token a request; `refusal` is raised when it is empty."""

    name: str
    refusal: ErrorSpec = catalog.RATE_LIMIT_EXCEEDED


ANONYMOUS = Tier(name="anonymous", bucket="anonymous")
INGEST = Tier(name="ingest", bucket="ingest")

TIERS: Mapping[str, Tier] = MappingProxyType(
    {
        tier.name: tier
        for tier in (
            Tier(name="admin"),
            Tier(name="developer"),
            Tier(name="viewer"),
            Tier(name="billing"),
            INGEST,
            ANONYMOUS,
        )
    }
)
CLASSES: Mapping[str, RouteClass] = MappingProxyType(
    {
        route_class.name: route_class
        for route_class in (
            RouteClass(name="search"),
            RouteClass(name="query"),
            RouteClass(name="compare"),
            RouteClass(name="export"),
            RouteClass(name="auth", refusal=catalog.TOO_MANY_REQUESTS),
        )
    }
)


def policy_of(name: str) -> Policy:
    """Return the bucket of a tier or route class; its capacity is the minute's rate times the burst factor."""
    return _policy(settings.RATE_LIMIT_PER_MINUTE[name], settings.RATE_LIMIT_BURST_FACTOR)


@lru_cache(maxsize=64)
def _policy(per_minute: int, burst_factor: float) -> Policy:
    return Policy(capacity=max(1, int(per_minute * Decimal(str(burst_factor)))), units_per_us=per_minute)
