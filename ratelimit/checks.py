"""System checks of the limits: wrong settings stop the process at its start instead of at the first request."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from ratelimit.policies import CLASSES, TIERS, policy_of


@register
def check_policies(**_: Any) -> list[CheckMessage]:
    """Return what is wrong with the rates."""
    return list(_wrong_rates())


def _wrong_rates() -> Iterator[CheckMessage]:
    expected = TIERS.keys() | CLASSES.keys()
    for name in sorted(expected ^ settings.RATE_LIMIT_PER_MINUTE.keys()):
        yield Error(
            f"The rate {name!r} is in one of RATE_LIMIT_PER_MINUTE and ratelimit.policies only.",
            hint="Give every tier and route class one rate.",
            id="ratelimit.E001",
        )
    for name in sorted(expected & settings.RATE_LIMIT_PER_MINUTE.keys()):
        try:
            policy_of(name)
        except ValueError as unusable:
            yield Error(
                f"The rate {name!r} cannot be used: {unusable}.",
                hint=f"Change RATE_LIMIT_{name.upper()} or RATE_LIMIT_BURST_FACTOR.",
                id="ratelimit.E002",
            )
