"""Bins of the latency sketches: logarithmic, with a relative error of at most 2.5 % from 1 ms to 1 h.

Bounds are powers of gamma = 1.025 / 0.975. Bin 0 holds values up to 1 ms, bin i (1-302) holds (gamma^(i-1), gamma^i],
bin 303 everything above, which reads as the greatest value. The scheme is that of DDSketch (Masson, Rim and Lee, VLDB
2019) with fixed ends. Values are whole milliseconds, so what a bin reads as is chosen among those that it can hold.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from itertools import accumulate
from math import inf, log, sqrt

ERROR = Decimal("0.025")
GAMMA = (1 + ERROR) / (1 - ERROR)
LAST_BIN = 303
_UNITS = (Decimal(1), Decimal("0.1"), Decimal("0.01"), Decimal("0.001"))


def estimate(bin_number: int, *, least: int, greatest: int) -> int | Decimal:
    """Return the milliseconds that a bin stands for, kept within the known extremes.

    A whole number where one is close enough to all that the bin holds; else with the decimals that it takes.
    """
    if bin_number >= LAST_BIN:
        return greatest
    return min(max(_middle(bin_number), least), greatest)


@cache
def _middle(bin_number: int) -> int | Decimal:
    if bin_number <= 0:
        return 1  # the only value of the bin that the bound is promised of
    lowest, highest = int(GAMMA ** (bin_number - 1)) + 1, int(GAMMA**bin_number)
    if lowest > highest:
        return highest  # no whole number has this bin
    middle = Decimal(2 * lowest * highest) / (lowest + highest)
    for unit in _UNITS:
        near = middle.quantize(unit, ROUND_HALF_EVEN)
        if highest - near <= ERROR * highest and near - lowest <= ERROR * lowest:
            return int(near) if unit == 1 else near
    raise AssertionError(f"bin {bin_number} is wider than its error allows")


def nearest_ranks(binned: Mapping[int, int], percents: Sequence[int]) -> list[int]:
    """Return for each of ascending `percents` the bin that holds the value of rank ceil(percent x count / 100).

    `binned` maps bin numbers to counts and is not empty.
    """
    numbers = sorted(binned)
    reached = list(accumulate(map(binned.__getitem__, numbers)))
    return [numbers[bisect_left(reached, -(-percent * reached[-1] // 100))] for percent in percents]


# --- registers of different values ------------------------------------------------------------------------------------
# HyperLogLog with 2^15 registers of a 64-bit hash: the standard error is 1.04 / sqrt(2^15) = 0.57 %. The estimator is
# the improved one of Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6: it
# needs no correction tables and holds from one value to billions.
REGISTERS = 1 << 15
LARGEST_RANK = 50  # 64 bits less the 15 of the number, and one for a hash that is 0 there
DISTINCT_ERROR = Decimal("0.02")


def distinct_values(ranks: Mapping[int, int]) -> int:
    """Return how many different values a HyperLogLog has seen; `ranks` maps each rank to its number of registers."""
    empty = REGISTERS - sum(ranks.values())
    if empty == REGISTERS:
        return 0
    z = REGISTERS * _tau(1 - ranks.get(LARGEST_RANK, 0) / REGISTERS)
    for rank in range(LARGEST_RANK - 1, 0, -1):
        z = (z + ranks.get(rank, 0)) / 2
    z += REGISTERS * _sigma(empty / REGISTERS)
    return round(REGISTERS**2 / (2 * log(2) * z))


def _sigma(x: float) -> float:
    if x == 1:
        return inf
    power, weight, total, before = x, 1.0, x, -1.0
    while total != before:
        power, before = power * power, total
        total += power * weight
        weight *= 2
    return total


def _tau(x: float) -> float:
    if x in {0, 1}:
        return 0.0
    root, weight, total, before = x, 1.0, 1 - x, -1.0
    while total != before:
        root, before = sqrt(root), total
        weight /= 2
        total -= (1 - root) ** 2 * weight
    return total / 3
