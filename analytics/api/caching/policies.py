"""How replies are cached, as data: the groups, and what settings may change for a route."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from django.conf import settings


class Freshness(StrEnum):
    """What a client may do with a reply: use it for as long as Redis does, ask each time, keep nothing."""

    MAX_AGE = "max-age"
    NO_CACHE = "no-cache"
    NO_STORE = "no-store"


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """One route: seconds that a rendered reply lives in Redis (0: none is kept) and the validators it is sent with."""

    ttl: int
    etag: bool
    last_modified: bool

    def __post_init__(self) -> None:
        if self.ttl < 0:
            raise ValueError("a reply cannot live less than 0 seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheGroup:
    """Routes that are cached alike. `ttl` names the setting; `weak` tags are of replies whose `meta` varies."""

    key: str
    ttl: str
    freshness: Freshness
    validators: bool = True
    weak: bool = False
    meaning: str

    def cache_control(self, policy: CachePolicy, *, public: bool) -> str:
        """Return the `Cache-Control` of a reply."""
        if self.freshness is Freshness.NO_STORE:
            return "no-store"
        told = f"max-age={policy.ttl}" if self.freshness is Freshness.MAX_AGE else self.freshness.value
        return f"{'public' if public else 'private'}, {told}"


GROUPS: Mapping[str, CacheGroup] = MappingProxyType(
    {
        group.key: group
        for group in (
            CacheGroup(
                key="A", ttl="CACHE_DEFAULT_TTL", freshness=Freshness.MAX_AGE, meaning="Figures that may be public."
            ),
            CacheGroup(key="B", ttl="CACHE_DEFAULT_TTL", freshness=Freshness.MAX_AGE, meaning="Figures."),
            CacheGroup(key="F", ttl="CACHE_FORECAST_TTL", freshness=Freshness.MAX_AGE, meaning="Forecasts."),
            CacheGroup(
                key="L", ttl="CACHE_LABELS_TTL", freshness=Freshness.MAX_AGE, meaning="Labels and their values."
            ),
            CacheGroup(
                key="T", ttl="CACHE_DEFAULT_TTL", freshness=Freshness.NO_CACHE, weak=True, meaning="Spans and traces."
            ),
            CacheGroup(
                key="P",
                ttl="CACHE_DEFAULT_TTL",
                freshness=Freshness.NO_STORE,
                validators=False,
                meaning="Questions asked by POST.",
            ),
        )
    }
)
MEMBERS = ("ttl", "etag", "last_modified")


def policy_of(route: str, group: str, *, ttl: str = "") -> CachePolicy:
    """Return how `route` of `group` is cached: what the group says, changed by `CACHE_POLICY_OVERRIDES`.

    `ttl` names the setting of a route that is kept for another time than its group.
    """
    told = GROUPS[group]
    default = CachePolicy(ttl=getattr(settings, ttl or told.ttl), etag=told.validators, last_modified=told.validators)
    overrides: Mapping[str, Mapping[str, Any]] = settings.CACHE_POLICY_OVERRIDES
    return replace(default, **overrides[route]) if route in overrides else default
