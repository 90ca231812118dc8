"""System checks of analytics: settings that name what is not there stop the process at its start."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from analytics.api.caching.routes import cached_routes


@register
def check_cache_policies(**_: Any) -> list[CheckMessage]:
    """Return what is wrong with `CACHE_POLICY_OVERRIDES`."""
    return list(_unknown_routes())


def _unknown_routes() -> Iterator[CheckMessage]:
    known = cached_routes()
    for route in sorted(settings.CACHE_POLICY_OVERRIDES.keys() - known.keys()):
        yield Error(
            f"CACHE_POLICY_OVERRIDES names {route!r}, which is no cached route.",
            hint=f"Use one of {', '.join(known)}.",
            id="analytics.E001",
        )
