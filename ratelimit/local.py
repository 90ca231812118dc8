"""The same bucket inside this process, for the time in which Redis is away."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from ratelimit.decision import Bucket, BucketState, Decision

MOST_KEYS = 10_000


class LocalBuckets:
    """Buckets by key, thread-safe; of more than `most_keys` the longest unused are forgotten, that is, full again."""

    def __init__(self, most_keys: int = MOST_KEYS) -> None:
        self._most_keys = most_keys
        self._stored: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._lock = Lock()

    def charge(self, buckets: Sequence[Bucket], *, now_us: int) -> Decision:
        """Charge all buckets or none at `now_us`, microseconds since the epoch."""
        with self._lock:
            units = [self._refilled(bucket, now_us) for bucket in buckets]
            admitted = all(left >= bucket.cost_units for bucket, left in zip(buckets, units, strict=True))
            if admitted:
                units = [left - bucket.cost_units for bucket, left in zip(buckets, units, strict=True)]
                for bucket, left in zip(buckets, units, strict=True):
                    self._stored[bucket.key] = (left, now_us)
                    self._stored.move_to_end(bucket.key)
                while len(self._stored) > self._most_keys:
                    self._stored.popitem(last=False)
        states = [BucketState(bucket=bucket, units=left) for bucket, left in zip(buckets, units, strict=True)]
        return Decision(admitted=admitted, now_us=now_us, states=states)

    def _refilled(self, bucket: Bucket, now_us: int) -> int:
        capacity = bucket.policy.capacity_units
        left, since_us = self._stored.get(bucket.key, (capacity, now_us))
        return min(capacity, left + max(0, now_us - since_us) * bucket.policy.units_per_us)
