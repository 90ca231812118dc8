"""Series of the limiter."""

from threading import Lock

from prometheus_client import Counter, Gauge

EXCEEDED = Counter("rate_limit_exceeded_total", "Requests refused, by tier and route class.", ["tier", "class"])
BACKEND_ERRORS = Counter("rate_limit_backend_errors_total", "Limiter calls that Redis did not answer in time.")
DEGRADED_DECISIONS = Counter("rate_limit_degraded_decisions_total", "Decisions made without Redis.", ["tier"])
DEGRADED = Gauge(
    "rate_limit_degraded", "1 while any process decides without Redis, else 0.", multiprocess_mode="livemax"
)
REMAINING = Gauge(
    "rate_limit_remaining",
    "Whole tokens in the lowest bucket of the last minute, by tier.",
    ["tier"],
    multiprocess_mode="livemin",
)

# A process cannot see the scrape that another one answers; a minute stands in for the time between two scrapes.
WINDOW_SECONDS = 60


class LowestOfWindow:
    """Keeps `REMAINING` at the lowest value of the running window."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lowest: dict[str, tuple[float, int]] = {}

    def observe(self, tier: str, tokens: int, now: float) -> None:
        with self._lock:
            since, lowest = self._lowest.get(tier, (now, tokens))
            fresh = now - since >= WINDOW_SECONDS
            if fresh or tokens < lowest or tier not in self._lowest:
                self._lowest[tier] = (now if fresh else since, tokens)
                REMAINING.labels(tier=tier).set(tokens)


remaining = LowestOfWindow()
