"""Series of the response cache; `endpoint` is the route's template."""

from prometheus_client import Counter

HITS = Counter("cache_hits_total", "Replies from the response cache.", ["endpoint"])
MISSES = Counter("cache_misses_total", "Replies that were computed and kept.", ["endpoint"])
BYPASS = Counter("cache_bypass_total", "Replies that passed the response cache by.", ["reason"])
