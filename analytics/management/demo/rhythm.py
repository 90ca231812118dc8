"""When the demo's sessions begin: office hours, quiet weekends, slight growth."""

from datetime import UTC, datetime, timedelta
from random import Random

SECOND_NS = 1_000_000_000
HOUR = timedelta(hours=1)
SATURDAY = 5

# Relative traffic of the 24 UTC hours of a working day.
HOURS = (4, 3, 2, 2, 3, 5, 9, 18, 32, 44, 50, 52, 44, 46, 54, 52, 46, 36, 26, 20, 16, 12, 9, 6)
WEEKEND = 0.4
GROWTH = 0.15  # more traffic at the end of the range than at its beginning


def nanoseconds(moment: datetime) -> int:
    """Return `moment` as whole nanoseconds since 1970."""
    return (moment - datetime.fromtimestamp(0, tz=UTC)) // timedelta(microseconds=1) * 1000


def start_times(rng: Random, *, begin: datetime, end: datetime, count: int) -> list[int]:
    """Return `count` moments in `[begin, end)`, ascending, in nanoseconds since 1970."""
    slots = _slots(begin, end)
    weights = [_weight(start, (start - begin) / (end - begin)) * ((stop - start) / HOUR) for start, stop in slots]
    chosen = rng.choices(slots, weights, k=count)
    return sorted(nanoseconds(start + rng.random() * (stop - start)) for start, stop in chosen)


def _slots(begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Cut the range at full hours."""
    hour = begin.replace(minute=0, second=0, microsecond=0)
    slots = []
    while hour < end:
        slots.append((max(hour, begin), min(hour + HOUR, end)))
        hour += HOUR
    return slots


def _weight(moment: datetime, progress: float) -> float:
    weekend = WEEKEND if moment.weekday() >= SATURDAY else 1.0
    return HOURS[moment.hour] * weekend * (1 + GROWTH * progress)
