"""Which events a subscription lets pass: equalities and lower bounds, all of which must hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from analytics.live.happenings import Happening

# Equalities on members of an event's data, the most telling first: a subscription is found by its first.
EQUALITIES = ("user_id", "model", "environment", "provider")
NAMES = ("provider", "model", "environment", "user_id", "project_id", "min_cost", "min_duration_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What must hold of an event; one that lacks an attribute asked for does not pass.

    `projects` are the numbers in reach, with `named` those that were asked for. An event passes if all its projects are
    among them; one of the whole organisation only where the listener reaches the `whole` and named none.
    """

    projects: frozenset[int]
    named: bool = False
    whole: bool = False
    equal: Mapping[str, str] = field(default_factory=dict, hash=False)
    min_cost: Decimal | None = None
    min_duration_ms: Decimal | None = None

    @property
    def key(self) -> tuple[str, str] | None:
        """The equality by which a subscription with this filter is found, `None` without any."""
        return next(((name, self.equal[name]) for name in EQUALITIES if name in self.equal), None)

    def within(self, reach: frozenset[int], *, whole: bool) -> "EventFilter":
        """Return the filter of a listener who has come to reach these projects, the `whole` organisation or not."""
        return replace(self, projects=self.projects & reach if self.named else reach, whole=whole and not self.named)

    def passes(self, event: Happening) -> bool:
        """Return whether `event` is for who asked."""
        if not (event.projects <= self.projects if event.projects else self.whole):
            return False
        facts = event.facts
        for name, value in self.equal.items():
            if facts.get(name) != value:
                return False
        return _at_least(facts.get("cost_usd"), self.min_cost) and _at_least(
            facts.get("duration_ms"), self.min_duration_ms
        )


def _at_least(value: Any, bound: Decimal | None) -> bool:
    if bound is None or value is None:
        return bound is None
    # The text of a float has the digits that were sent; the float itself may be a little off.
    return bool((value if type(value) is int else Decimal(repr(value))) >= bound)
