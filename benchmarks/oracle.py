"""Which incidents anybody could tell from chance: what one would see who knows everything but what chance will do.

The oracle knows how many requests are usual in an hour and how latencies, tokens and failures vary; which model has an
incident of which kind, from when to when; and every single request. All it is asked is whether chance alone would give
as much. The likelihood ratio test of each kind answers it, and no test is stronger (Neyman and Pearson, 1933).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import erfc, exp, lgamma, log, log1p, sqrt

from benchmarks.incidents import ERROR_RATE, NEW, SESSION, SPREAD, TIMEOUT_MS, Drawn, Incident


def chance_of(incident: Incident, drawn: Mapping[datetime, Sequence[Drawn]]) -> float:
    """Return how likely it is that hours without an incident look as much like this one as its own hours do."""
    hours = {hour: made for hour, made in drawn.items() if incident.start <= hour < incident.end}
    if incident.kind.replaced:  # the new model is seen nowhere else
        return 0.0 if any(one.model is NEW and one.requests for made in hours.values() for one in made) else 1.0
    mine = [(incident.degree(hour), one) for hour, made in hours.items() for one in made if one.model is incident.model]
    kind = incident.kind
    if kind.error_rate:
        return _of_failures(sum(one.failed for _, one in mine), sum(one.requests for _, one in mine))
    if kind.latency != 1:
        return _of_levels((log(1 + (kind.latency - 1) * degree), _latencies(one)) for degree, one in mine)
    if kind.tokens != 1:
        return _of_levels((log(1 + (kind.tokens - 1) * degree), _tokens(one)) for degree, one in mine)
    return _of_requests(sum(one.requests for _, one in mine), sum(one.usual for _, one in mine), more=kind.traffic > 1)


def _latencies(drawn: Drawn) -> list[float]:
    return [log(one / drawn.model.latency_ms) for one in drawn.latencies if one != TIMEOUT_MS]


def _tokens(drawn: Drawn) -> list[float]:
    return [log(one / drawn.model.tokens) for one in drawn.tokens]


def _of_levels(hours: Iterator[tuple[float, list[float]]]) -> float:
    """Return the chance of so much where logarithms are normal and move by so much in each hour."""
    seen, spread = 0.0, 0.0
    for moved, values in hours:
        seen += moved * sum(values)
        spread += moved**2 * len(values)
    return erfc(seen / (SPREAD * sqrt(2 * spread))) / 2 if spread else 1.0


def _of_failures(failed: int, requests: int) -> float:
    """Return the chance of at least so many failures."""

    def of(count: int) -> float:
        ways = lgamma(requests + 1) - lgamma(count + 1) - lgamma(requests - count + 1)
        return exp(ways + count * log(ERROR_RATE) + (requests - count) * log1p(-ERROR_RATE))

    return min(sum(of(count) for count in range(failed, requests + 1)), 1.0)


def _of_requests(seen: int, usual: float, *, more: bool) -> float:
    """Return the chance of at least, or at most, so many requests that come in sessions of geometric lengths.

    That is a Polya-Aeppli number, by its recursion (Johnson, Kemp and Kotz, Univariate Discrete Distributions, 9.1).
    """
    sessions, goes_on = usual / SESSION, 1 - 1 / SESSION
    found = [exp(-sessions)]
    for count in range(1, seen + 1):
        before = found[count - 2] if count > 1 else 0.0
        ahead = (sessions / SESSION + 2 * goes_on * (count - 1)) * found[count - 1]
        found.append((ahead - goes_on**2 * (count - 2) * before) / count)
    return max(1 - sum(found[:seen]), 0.0) if more else sum(found)
