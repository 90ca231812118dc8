"""Bins of the latency sketches: logarithmic, with a relative error of at most 2.5 % from 1 ms to 1 h.

Bounds are powers of gamma = 1.025 / 0.975. Bin 0 holds values up to 1 ms, bin i (1-302) holds (gamma^(i-1), gamma^i],
bin 303 everything above. The scheme is that of DDSketch (Masson, Rim and Lee, VLDB 2019) with fixed ends.
"""

from decimal import ROUND_HALF_EVEN, Decimal

GAMMA = Decimal("1.025") / Decimal("0.975")
LAST_BIN = 303


def estimate(bin_number: int, *, least: int, greatest: int) -> int:
    """Return the whole milliseconds that a bin stands for, 2 gamma^i / (gamma + 1), kept within the known extremes."""
    if bin_number <= 0:
        return least
    if bin_number >= LAST_BIN:
        return greatest
    middle = (2 * GAMMA**bin_number / (GAMMA + 1)).quantize(Decimal(1), ROUND_HALF_EVEN)
    return min(max(int(middle), least), greatest)
