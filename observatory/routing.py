"""Routes that are looked for once: forty patterns are not tried again for a path that was asked for a moment ago."""

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Any

from django.urls import URLPattern, URLResolver
from django.urls.resolvers import ResolverMatch, RoutePattern

_PATHS, _LONGEST = 1024, 200


class RememberingResolver(URLResolver):
    """Remembers the routes of the paths that were asked for lately; of paths without a route none."""

    def resolve(self, path: Any) -> ResolverMatch:
        path = str(path)
        return self._remembered(path) if len(path) <= _LONGEST else super().resolve(path)

    @cached_property
    def _remembered(self) -> Callable[[str], ResolverMatch]:
        return lru_cache(maxsize=_PATHS)(super().resolve)


def remembered(patterns: Sequence[URLPattern | URLResolver]) -> list[URLResolver]:
    """Return `patterns` behind one resolver that remembers."""
    return [RememberingResolver(RoutePattern(""), list(patterns))]
