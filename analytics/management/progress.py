"""What commands that work day by day say after each: what was done, how fast, and for how long it goes on."""

import time
from collections.abc import Callable
from datetime import date

INTERRUPTED = "Interrupted: what was done stays. Run it again to do the rest."


class DayProgress:
    """Writes a line for each day that is done. `whole` is what all days weigh together, in rows or bytes."""

    def __init__(self, write: Callable[[str], object], whole: int) -> None:
        self._write, self._whole = write, whole
        self._rows = self._weight = 0
        self._since = time.monotonic()

    def done(self, day: date, relation: str, what: str, *, rows: int, weight: int, left: int) -> None:
        """Tell of a day of a relation: its rows, what it weighs, and how many days are left."""
        self._rows += rows
        self._weight += weight
        seconds = max(time.monotonic() - self._since, 0.001)
        rest = max(self._whole - self._weight, 0) * seconds / max(self._weight, 1)
        self._write(
            f"{day}  {relation}: {what}; {left} days left, {self._rows / seconds:,.0f} rows/s, about {rest:,.0f} s"
        )
