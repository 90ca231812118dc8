"""Bins of the latency sketches: logarithmic, with a relative error of at most 2.5 % from 1 ms to 1 h.

Bounds are powers of gamma = 1.025 / 0.975. Bin 0 holds values up to 1 ms, bin i (1-302) holds (gamma^(i-1), gamma^i],
bin 303 everything above. The scheme is that of DDSketch (Masson, Rim and Lee, VLDB 2019) with fixed ends.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache

GAMMA = Decimal("1.025") / Decimal("0.975")
LAST_BIN = 303


def estimate(bin_number: int, *, least: int, greatest: int) -> int:
    """Return the whole milliseconds that a bin stands for, 2 gamma^i / (gamma + 1), kept within the known extremes."""
    if bin_number <= 0:
        return least
    if bin_number >= LAST_BIN:
        return greatest
    return min(max(_middle(bin_number), least), greatest)


@cache
def _middle(bin_number: int) -> int:
    return int((2 * GAMMA**bin_number / (GAMMA + 1)).quantize(Decimal(1), ROUND_HALF_EVEN))


def nearest_ranks(binned: Mapping[int, int], percents: Sequence[int]) -> list[int]:
    """Return for each of ascending `percents` the bin that holds the value of rank ceil(percent x count / 100).

    `binned` maps bin numbers to counts and is not empty.
    """
    whole = sum(binned.values())
    ranks = [-(-percent * whole // 100) for percent in percents]
    found: list[int] = []
    reached = 0
    for number in sorted(binned):
        reached += binned[number]
        while len(found) < len(ranks) and reached >= ranks[len(found)]:
            found.append(number)
    return found
